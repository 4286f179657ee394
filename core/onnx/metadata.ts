/** The key of an exported tagger's metadata that has the transitions of its CRF, as JSON. */
export const CRF_TRANSITIONS = "crf_transitions";

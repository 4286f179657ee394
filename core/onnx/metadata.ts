/** The key of an exported tagger's metadata that has the transitions of its CRF, as JSON. */
export const CRF_TRANSITIONS = "crf_transitions";

/** The key that has the names of the classes in the order of the logits, as JSON. */
export const LABELS = "labels";

import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { Entry, Plain } from "./entries.ts";
import type { ChosenStudent } from "./student.ts";

/** By what losses are chosen. */
export interface LossFacts {
  readonly data: InputDescription;
  readonly student: ChosenStudent;
  readonly isTaught: boolean;
  /** Whether no example has a label. */
  readonly isUnlabelled: boolean;
  readonly hasChains: boolean;
  /** Whether the teacher is a tagger with a CRF. */
  readonly teacherCrf: boolean;
  /** Whether the teacher's matrices have the shapes of the student's. */
  readonly sameWidth: boolean;
}

/** The loss of the labels. */
const OWN = {
  classification: "cross-entropy",
  regression: "mse",
  tagging: "cross-entropy",
  "multi-label": "binary-cross-entropy",
} as const;

/** What training minimises: `losses` of a recipe. */
export function lossesOf(facts: LossFacts): Entry {
  const { data, student, isTaught } = facts;
  const own = student.crf ? "crf" : OWN[data.task];
  if (!isTaught) return { key: "losses", items: [{ value: { use: own }, why: "by the labels alone" }] };
  return {
    key: "losses",
    items: [
      ...(facts.isUnlabelled ? [] : [{ value: { use: own, weight: 0.1 }, why: "the labels" }]),
      { value: taughtBy(facts), why: "the teacher" },
      ...(facts.hasChains && facts.sameWidth
        ? [{
          value: { use: "tensor-alignment", weight: 1, onMismatch: "skip" },
          why: "L_Aux of OPDF; leave it out for chains alone",
        }]
        : []),
    ],
  };
}

function taughtBy({ data, student, teacherCrf }: LossFacts): Plain {
  if (data.task === "regression") return { use: "mse-logits", weight: 0.9 };
  // Of the ways to teach a CRF the best where they were compared (methods-tags.yaml).
  if (student.crf && teacherCrf) return { use: "structure-marginals", weight: 0.9 };
  return { use: "kd", weight: 0.9, temperature: data.task === "classification" ? 4 : 1 };
}

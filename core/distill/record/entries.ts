import type { AnsweredBatch } from "../../evaluate/answers.ts";

/** One answer: to an example, or to one token of it. */
export interface Entry {
  readonly example: number;
  /** The token; 0 where an example has one answer. */
  readonly place: number;
  /** The class or number that is right; `null` without a label. */
  readonly label: number | null;
  readonly decided: number;
  /** The probability that the model gives to it; `null` where there is none. */
  readonly certainty: number | null;
}

/**
 * The single answers of a classification, of tags or of a regression, in order; tokens that are not scored are there
 * as well, without a label.
 */
export function entriesOf(batches: readonly AnsweredBatch[], isNumber: boolean): Entry[] {
  return batches.flatMap(({ indices, label, labelled, decided, certainty }) => {
    const each = label.data.length / indices.length;
    return Array.from(label.data, (right, at): Entry => {
      const example = Math.floor(at / each);
      const isKnown = labelled?.data[example] !== 0 && (isNumber || right >= 0);
      return {
        example: indices[example],
        place: at % each,
        label: isKnown ? right : null,
        decided: decided[at],
        certainty: certainty?.[at] ?? null,
      };
    });
  });
}

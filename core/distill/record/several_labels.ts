import type { AnsweredBatch } from "../../evaluate/answers.ts";
import { leastLogit } from "../../evaluate/metrics/several_labels.ts";
import type { WrongAnswer } from "./mistakes.ts";

/** Answers of which each example has one for every class. */
export interface SeveralAnswers {
  readonly wrong: readonly WrongAnswer[];
  /** The probability of each class for each example, and whether that is of it. */
  readonly probabilities: readonly { readonly p: number; readonly right: boolean }[];
  /** The same of all examples as decisions, 1 for a class that is said; without a label where there is none. */
  readonly decisions: readonly { readonly label: number | null; readonly decided: number }[];
}

/** Looks at the answers one by one. @param threshold the probability from which a class is said */
export function severalAnswers(
  batches: readonly AnsweredBatch[],
  classes: number,
  threshold: number,
): SeveralAnswers {
  const least = leastLogit(threshold);
  const [wrong, probabilities]: [WrongAnswer[], { p: number; right: boolean }[]] = [[], []];
  const decisions: { label: number | null; decided: number }[] = [];
  for (const { indices, label, labelled, decided } of batches) {
    for (let at = 0; at < label.data.length; at++) {
      const [row, own] = [Math.floor(at / classes), at % classes];
      const isKnown = labelled?.data[row] !== 0;
      decisions.push({ label: isKnown ? label.data[at] : null, decided: decided[at] >= least ? 1 : 0 });
      if (!isKnown) continue;
      const [right, said, p] = [label.data[at] === 1, decided[at] >= least, 1 / (1 + Math.exp(-decided[at]))];
      probabilities.push({ p, right });
      if (right === said) continue;
      const certainty = said ? p : 1 - p;
      const kind = said ? { truth: null, decided: own } : { truth: own, decided: null };
      wrong.push({ ...kind, example: indices[row], token: null, certainty, size: certainty });
    }
  }
  return { wrong, probabilities, decisions };
}

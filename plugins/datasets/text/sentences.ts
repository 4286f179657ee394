import type { ScoredPairs } from "../../../core/plugin/dataset.ts";
import type { TextRow } from "./text_dataset.ts";

/** Texts one by one, and which of them were compared. */
export interface Sentences {
  /** Each without a pair; the label is 0 in a pair with a score, else `null`. */
  readonly rows: readonly TextRow[];
  /** Missing where no pair has a score. */
  readonly pairs?: ScoredPairs;
}

/**
 * Texts and pairs of texts as texts of which each becomes a vector.
 *
 * @param scored whether the labels of pairs are kept as their scores
 */
export function sentencesOf(rows: readonly TextRow[], scored: boolean): Sentences {
  const sentences: TextRow[] = [];
  const compared: [first: number, second: number, score: number][] = [];
  for (const { text, pair, label } of rows) {
    const score = scored && pair !== null ? label as number | null : null;
    if (score !== null) compared.push([sentences.length, sentences.length + 1, score]);
    for (const sentence of pair === null ? [text] : [text, pair]) {
      sentences.push({ text: sentence, pair: null, label: score === null ? null : 0 });
    }
  }
  if (compared.length === 0) return { rows: sentences };
  return {
    rows: sentences,
    pairs: {
      first: Uint32Array.from(compared, ([first]) => first),
      second: Uint32Array.from(compared, ([, second]) => second),
      scores: Float32Array.from(compared, ([, , score]) => score),
    },
  };
}

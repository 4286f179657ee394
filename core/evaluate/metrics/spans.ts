import type { HostTensor } from "../../plugin/dataset.ts";

/** A run of tokens that are one entity or phrase. */
export interface Span {
  /** Its kind: `PER` of `B-PER`. */
  readonly type: string;
  /** The first token. */
  readonly begin: number;
  /** The token after the last one. */
  readonly end: number;
}

/** Whether tags mark spans, as `B-PER`, `I-PER` and `O` do. */
export function markSpans(tags: readonly string[]): boolean {
  return tags.some((tag) => tag !== "O") && tags.every((tag) => tag === "O" || /^[BI]-./.test(tag));
}

/**
 * The spans of a sequence of tags in BIO form (IOB2: `B-` begins a span, `I-` goes on with it, `O` is outside). As in
 * the CoNLL evaluation an `I-` that follows no span of its type begins one, too, so that IOB1 is understood as well.
 */
export function spansOf(tags: readonly string[]): Span[] {
  const spans: Span[] = [];
  let open: { type: string; begin: number } | null = null;
  [...tags, "O"].forEach((tag, at) => {
    const type = tag === "O" ? null : tag.slice(2);
    if (open && (type !== open.type || tag.startsWith("B-"))) {
      spans.push({ ...open, end: at });
      open = null;
    }
    if (type !== null) open ??= { type, begin: at };
  });
  return spans;
}

/** How well predicted spans agree with true ones. */
export interface SpanScores {
  /** Part of the predicted spans that are right; 0 if there are none. */
  readonly precision: number;
  /** Part of the true spans that were found; 0 if there are none. */
  readonly recall: number;
  /** Their harmonic mean, 2 correct / (predicted + true). */
  readonly f1: number;
}

/**
 * Precision, recall and F1 of spans over all sequences together (micro-averaged), as in the CoNLL-2000 and CoNLL-2003
 * shared tasks: a span is right if its type and both its ends are.
 *
 * @param truth tags of each sequence
 * @param predicted as many tags for each
 */
export function spanScores(
  truth: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): SpanScores {
  let [correct, right, guessed] = [0, 0, 0];
  const key = ({ type, begin, end }: Span) => `${begin} ${end} ${type}`;
  truth.forEach((tags, sequence) => {
    const expected = new Set(spansOf(tags).map(key));
    const found = spansOf(predicted[sequence]).map(key);
    right += expected.size;
    guessed += found.length;
    correct += found.filter((span) => expected.has(span)).length;
  });
  const part = (total: number) => total === 0 ? 0 : correct / total;
  return { precision: part(guessed), recall: part(right), f1: part((guessed + right) / 2) };
}

/**
 * {@link spanScores} of numbered tags as batches hold them, over all batches; positions whose label is -1 are left out.
 *
 * @param labels of each batch: `[batch, length]`
 * @param predictions of each batch, as many numbers
 * @param classes the tags' names
 */
export function spanScoresOf(
  labels: readonly HostTensor[],
  predictions: readonly ArrayLike<number>[],
  classes: readonly string[],
): SpanScores {
  const [truth, predicted]: [string[][], string[][]] = [[], []];
  labels.forEach(({ data, shape: [batch, length] }, index) => {
    for (let begin = 0; begin < batch * length; begin += length) {
      const scored = Array.from({ length }, (_, t) => begin + t).filter((at) => data[at] >= 0);
      truth.push(scored.map((at) => classes[data[at]]));
      predicted.push(scored.map((at) => classes[predictions[index][at]]));
    }
  });
  return spanScores(truth, predicted);
}

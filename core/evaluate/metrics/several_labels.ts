import type { HostTensor } from "../../plugin/dataset.ts";
import { AVERAGES, averagesOf, type ClassCounts } from "./class_scores.ts";

/** The probability from which an example is taken for one of a class, unless another is stated. */
export const USUAL_THRESHOLD = 0.5;

/** The metrics of several labels, the most usual first. */
export const SEVERAL_LABEL_METRICS: readonly ("mAP" | "accuracy" | typeof AVERAGES[number])[] = [
  "mAP",
  "accuracy",
  ...AVERAGES,
];

/** The least logit whose sigmoid is a probability. @param threshold above 0 and below 1 */
export function leastLogit(threshold: number): number {
  return Math.log(threshold / (1 - threshold));
}

/**
 * What several labels are measured by. `mAP`: the mean over classes of their average precision, which needs no
 * threshold; at the threshold `accuracy`, the part of the examples that are right about every class, and the means of
 * precision, recall and F1 over classes, as scikit-learn's with the `labels` of those that occur or are taken
 * for something.
 *
 * @param labels of each batch `[batch, classes]`, of 0 and 1
 * @param logits of each batch as many numbers
 */
export function severalLabelMetrics(
  classes: number,
  labels: readonly HostTensor[],
  logits: readonly ArrayLike<number>[],
  threshold: number,
): { readonly metrics: Record<typeof SEVERAL_LABEL_METRICS[number], number>; readonly counts: readonly ClassCounts[] } {
  const truth = labels.flatMap(({ data }) => Array.from(data, (flag) => flag === 1));
  const scores = logits.flatMap((numbers) => Array.from(numbers));
  const least = leastLogit(threshold);
  const decided = scores.map((score) => score >= least);
  const columns = Array.from({ length: classes }, (_, label) => {
    const ofClass = <Value>(all: readonly Value[]) => all.filter((_, place) => place % classes === label);
    return { scores: ofClass(scores), truth: ofClass(truth), decided: ofClass(decided) };
  });
  const examples = truth.length / classes;
  const isRight = (example: number) => {
    for (let place = example * classes; place < (example + 1) * classes; place++) {
      if (truth[place] !== decided[place]) return false;
    }
    return true;
  };
  const counts = columns.map(({ truth, decided }) => ({
    examples: truth.filter(Boolean).length,
    predicted: decided.filter(Boolean).length,
    correct: truth.filter((is, place) => is && decided[place]).length,
  }));
  const metrics = {
    mAP: mean(columns.flatMap(({ scores, truth }) => averagePrecision(scores, truth) ?? [])),
    accuracy: Array.from({ length: examples }, (_, example) => isRight(example)).filter(Boolean).length / examples,
    ...averagesOf(counts),
  };
  return { metrics, counts };
}

/**
 * Average precision of a class: the sum over different scores, from the greatest, of the gain in recall times the
 * precision from there up, as scikit-learn's `average_precision_score`; `null` for a class that no example is of, for
 * which there is no recall.
 */
export function averagePrecision(scores: readonly number[], truth: readonly boolean[]): number | null {
  const positives = truth.filter(Boolean).length;
  if (positives === 0) return null;
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
  let [found, before, sum] = [0, 0, 0];
  order.forEach((example, place) => {
    if (truth[example]) found++;
    // Examples of equal scores are taken together, as no threshold divides them.
    if (place + 1 < order.length && scores[order[place + 1]] === scores[example]) return;
    sum += (found - before) / positives * found / (place + 1);
    before = found;
  });
  return sum;
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

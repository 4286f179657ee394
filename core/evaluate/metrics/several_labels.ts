import type { HostTensor } from "../../plugin/dataset.ts";

/** The probability from which an example is taken for one of a class, unless another is stated. */
export const USUAL_THRESHOLD = 0.5;

/** The metrics of several labels, the most usual first. */
export const SEVERAL_LABEL_METRICS = ["mAP", "accuracy", "f1Macro", "f1Micro"] as const;

/** The least logit whose sigmoid is a probability. @param threshold above 0 and below 1 */
export function leastLogit(threshold: number): number {
  return Math.log(threshold / (1 - threshold));
}

/**
 * What several labels are measured by. `mAP`: the mean over classes of their average precision, which needs no
 * threshold; at the threshold `accuracy`, the part of the examples that are right about every class, and F1, as the
 * mean over classes or of all decisions together.
 *
 * @param labels of each batch `[batch, classes]`, of 0 and 1
 * @param logits of each batch as many numbers
 */
export function severalLabelMetrics(
  classes: number,
  labels: readonly HostTensor[],
  logits: readonly ArrayLike<number>[],
  threshold: number,
): Record<typeof SEVERAL_LABEL_METRICS[number], number> {
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
  return {
    mAP: mean(columns.flatMap(({ scores, truth }) => averagePrecision(scores, truth) ?? [])),
    accuracy: Array.from({ length: examples }, (_, example) => isRight(example)).filter(Boolean).length / examples,
    f1Macro: mean(columns.flatMap(({ truth, decided }) => f1(truth, decided) ?? [])),
    f1Micro: f1(truth, decided) ?? 0,
  };
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

/** 2 TP / (2 TP + FP + FN); `null` where nothing is of the class, nor taken for it. */
function f1(truth: readonly boolean[], decided: readonly boolean[]): number | null {
  const both = truth.filter((is, place) => is && decided[place]).length;
  const all = truth.filter(Boolean).length + decided.filter(Boolean).length;
  return all === 0 ? null : 2 * both / all;
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

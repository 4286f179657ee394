import { ranks } from "./correlation.ts";

/**
 * The area under the ROC curve: the probability that an example of a class has a greater score than one that is not,
 * an equal one counting half (Mann and Whitney's U over the number of pairs). With two classes it is the same for
 * either, as the other's scores are the opposite.
 *
 * @param scores how much each example looks like one of the class, on any scale
 * @param truth whether it is one
 * @returns `null` where all examples are of the class, or none, and there is no pair to compare
 */
export function areaUnderRoc(scores: ArrayLike<number>, truth: readonly boolean[]): number | null {
  const positives = truth.filter(Boolean).length;
  const negatives = truth.length - positives;
  if (positives === 0 || negatives === 0) return null;
  const sum = ranks(scores).reduce((total, rank, place) => truth[place] ? total + rank + 1 : total, 0);
  return (sum - positives * (positives + 1) / 2) / (positives * negatives);
}

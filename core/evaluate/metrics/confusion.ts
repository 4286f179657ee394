import type { ClassCounts } from "./class_scores.ts";

/** `[true class][predicted class]`: how many examples. */
export type Confusion = readonly (readonly number[])[];

/** Counts what each class was taken for. @param labels -1 where an example is not scored */
export function confusionOf(labels: ArrayLike<number>, predictions: ArrayLike<number>, classes: number): Confusion {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) if (labels[i] >= 0) counts[labels[i]][predictions[i]]++;
  return counts;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Part of the examples on the diagonal. */
export function accuracyOf(confusion: Confusion): number {
  return sum(confusion.map((row, label) => row[label])) / sum(confusion.map(sum));
}

/** What the scores of each class are made of. */
export function countsOf(confusion: Confusion): ClassCounts[] {
  return confusion.map((row, label) => ({
    examples: sum(row),
    predicted: sum(confusion.map((other) => other[label])),
    correct: row[label],
  }));
}

/**
 * Matthews' correlation coefficient, for any number of classes (Gorodkin 2004, doi 10.1016/j.compbiolchem.2004.09.006);
 * 0 where all examples are of one class or all predictions are.
 */
export function matthewsOf(confusion: Confusion): number {
  const truths = confusion.map(sum);
  const predicted = confusion.map((_, label) => sum(confusion.map((row) => row[label])));
  const total = sum(truths);
  const correct = sum(confusion.map((row, label) => row[label]));
  const dot = (a: readonly number[], b: readonly number[]) => sum(a.map((value, index) => value * b[index]));
  const scale = Math.sqrt((total ** 2 - dot(predicted, predicted)) * (total ** 2 - dot(truths, truths)));
  return scale === 0 ? 0 : (correct * total - dot(truths, predicted)) / scale;
}

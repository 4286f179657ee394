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

/**
 * F1, 2 TP / (2 TP + FP + FN): of class 1 where there are two classes, as GLUE has it for MRPC and QQP; otherwise the
 * mean over the classes. A class that neither occurs nor is predicted counts as 0.
 */
export function f1Of(confusion: Confusion): number {
  const own = confusion.map((row, label) => {
    const predicted = sum(confusion.map((other) => other[label]));
    const total = sum(row) + predicted;
    return total === 0 ? 0 : 2 * row[label] / total;
  });
  return own.length === 2 ? own[1] : sum(own) / own.length;
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

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

/** How well a class is told from all others. */
export interface ClassScores {
  /** Part of the examples taken for it that are of it; 0 if none are taken for it. */
  readonly precision: number;
  /** Part of its examples that are taken for it; 0 if it has none. */
  readonly recall: number;
  /** Their harmonic mean, 2 TP / (2 TP + FP + FN). */
  readonly f1: number;
}

/** The scores of each class; `null` for one that neither occurs nor is predicted. */
export function classScores(confusion: Confusion): (ClassScores | null)[] {
  return confusion.map((row, label) => {
    const predicted = sum(confusion.map((other) => other[label]));
    const own = sum(row);
    if (own + predicted === 0) return null;
    const part = (total: number) => total === 0 ? 0 : row[label] / total;
    return { precision: part(predicted), recall: part(own), f1: part((own + predicted) / 2) };
  });
}

/** F1 of one class, as GLUE has it for class 1 of MRPC and QQP; 0 for a class that neither occurs nor is predicted. */
export function f1Of(confusion: Confusion, label: number): number {
  return classScores(confusion)[label]?.f1 ?? 0;
}

/** The mean of F1 over the classes that occur or are predicted, as scikit-learn's `average="macro"`. */
export function f1Macro(confusion: Confusion): number {
  const own = classScores(confusion).flatMap((scores) => scores ? [scores.f1] : []);
  return sum(own) / own.length;
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

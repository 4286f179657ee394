import type { RunRecord } from "../../core/distill/record/record.ts";
import { type LabelScores, labelScores } from "../../core/evaluate/metrics/class_scores.ts";
import type { Confusion } from "../../core/evaluate/metrics/confusion.ts";

/** The scores of each class, in the classes' order; of several labels, each is told from its absence. */
export function classNumbers({ classes, confusion, labels }: RunRecord): LabelScores[] {
  if (labels) {
    return classes.map((name, index) => {
      const { bothTimes: correct, onlyDecided, onlyTrue } = labels[index];
      return labelScores(name, { examples: correct + onlyTrue, predicted: correct + onlyDecided, correct });
    });
  }
  const table = denseConfusion(classes.length, confusion ?? []);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return classes.map((name, index) =>
    labelScores(name, {
      examples: sum(table[index]),
      predicted: sum(table.map((row) => row[index])),
      correct: table[index][index],
    })
  );
}

/** `[true class][predicted class]` of the cells that are not 0. */
export function denseConfusion(classes: number, cells: NonNullable<RunRecord["confusion"]>): Confusion {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [truth, decided, count] of cells) counts[truth][decided] = count;
  return counts;
}

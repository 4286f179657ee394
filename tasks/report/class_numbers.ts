import type { RunRecord } from "../../core/distill/record/record.ts";
import { type LabelScores, labelScores } from "../../core/evaluate/metrics/class_scores.ts";
import { type Confusion, countsOf } from "../../core/evaluate/metrics/confusion.ts";

/** The scores of each class, in the classes' order; of several labels, each is told from its absence. */
export function classNumbers({ classes, confusion, labels }: RunRecord): LabelScores[] {
  const counts = labels ?? countsOf(denseConfusion(classes.length, confusion ?? []));
  return counts.map((own, index) => labelScores(classes[index], own));
}

/** `[true class][predicted class]` of the cells that are not 0. */
export function denseConfusion(classes: number, cells: NonNullable<RunRecord["confusion"]>): Confusion {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [truth, decided, count] of cells) counts[truth][decided] = count;
  return counts;
}

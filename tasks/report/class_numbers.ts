import type { RunRecord } from "../../core/distill/record/record.ts";
import { classScores, type Confusion } from "../../core/evaluate/metrics/confusion.ts";

/** How well a class is told from all others. */
export interface ClassNumbers {
  readonly name: string;
  /** How many answers are truly of it. */
  readonly count: number;
  /** `null` where nothing is of the class or taken for it. */
  readonly precision: number | null;
  /** `null` where nothing is of the class. */
  readonly recall: number | null;
  readonly f1: number | null;
}

/** The numbers of each class, in the classes' order; of several labels, each is told from its absence. */
export function classNumbers({ classes, confusion, labels }: RunRecord): ClassNumbers[] {
  const table = labels ? null : denseConfusion(classes.length, confusion ?? []);
  const scores = table && classScores(table);
  return classes.map((name, index) => {
    if (table && scores) {
      const count = table[index].reduce((sum, one) => sum + one, 0);
      const { precision = null, recall = null, f1 = null } = scores[index] ?? {};
      return { name, count, precision, recall: count === 0 ? null : recall, f1 };
    }
    const { bothTimes, onlyDecided, onlyTrue } = labels![index];
    const [count, said] = [bothTimes + onlyTrue, bothTimes + onlyDecided];
    return {
      name,
      count,
      precision: said + count === 0 ? null : said === 0 ? 0 : bothTimes / said,
      recall: count === 0 ? null : bothTimes / count,
      f1: said + count === 0 ? null : 2 * bothTimes / (said + count),
    };
  });
}

/** `[true class][predicted class]` of the cells that are not 0. */
export function denseConfusion(classes: number, cells: NonNullable<RunRecord["confusion"]>): Confusion {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [truth, decided, count] of cells) counts[truth][decided] = count;
  return counts;
}

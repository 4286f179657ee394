import { groupBy } from "../../../core/group_by.ts";
import { Random } from "../../../core/data/random.ts";

/** How examples are drawn. */
export interface GroupSplitOptions {
  /** Part of the examples of each class that goes to the test set. */
  readonly test: number;
  readonly seed: number;
  /** The most examples of a class; `null`: all. */
  readonly takeEach: number | null;
}

/**
 * Draws a training and a test set, each class giving its share. Examples with the same key go to the same side, so that
 * nothing is tested on that was trained on.
 */
export function splitGroups<Example>(
  examples: readonly Example[],
  keyOf: (example: Example) => string,
  classOf: (example: Example) => number,
  { test, seed, takeEach }: GroupSplitOptions,
): { train: Example[]; test: Example[] } {
  // Under its first example's class, should equal texts have different ones.
  const groups = new Map<string, Example[]>();
  for (const example of examples) groups.set(keyOf(example), [...groups.get(keyOf(example)) ?? [], example]);
  const byClass = groupBy(groups.values(), ([first]) => classOf(first));
  const random = new Random(seed).split("test split");
  const sides: { train: Example[]; test: Example[] } = { train: [], test: [] };
  for (const [, own] of [...byClass].sort(([a], [b]) => a - b)) {
    const order = random.shuffle(Uint32Array.from(own, (_, index) => index));
    const drawn = takeWhole(Array.from(order, (index) => own[index]), takeEach ?? Infinity);
    const wanted = Math.round(test * drawn.reduce((sum, group) => sum + group.length, 0));
    let taken = 0;
    for (const group of drawn) {
      const side = taken < wanted ? sides.test : sides.train;
      if (side === sides.test) taken += group.length;
      side.push(...group);
    }
  }
  return sides;
}

/** The first groups that together have at most so many examples. */
function takeWhole<Example>(groups: readonly Example[][], most: number): Example[][] {
  let count = 0;
  return groups.filter((group) => {
    if (count + group.length > most) return false;
    count += group.length;
    return true;
  });
}

import { groupBy } from "../../../core/group_by.ts";
import { Random } from "../../../core/data/random.ts";
import { UserError } from "../../../core/errors.ts";

/** How examples are drawn. */
export interface GroupSplitOptions {
  /** Part of the examples of each class that goes to the test set. */
  readonly test: number;
  readonly seed: number;
  /** The most examples of a class; `null`: all. */
  readonly takeEach: number | null;
}

/**
 * Draws a training and a test set, each class giving its share, as nearly as that goes. Examples with the same key go
 * to the same side, so that nothing is tested on that was trained on; no class loses all of its examples to the test
 * set.
 *
 * @throws UserError if none is left to test on
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
  let largest = { count: 0, wanted: 0 };
  for (const [, own] of [...byClass].sort(([a], [b]) => a - b)) {
    const order = random.shuffle(Uint32Array.from(own, (_, index) => index));
    const drawn = takeWhole(Array.from(order, (index) => own[index]), takeEach ?? Infinity);
    const count = drawn.reduce((sum, group) => sum + group.length, 0);
    const wanted = Math.round(test * count);
    if (count > largest.count) largest = { count, wanted };
    let [taken, left] = [0, drawn.length];
    for (const group of drawn) {
      // A group of many copies may be more than is missing: what it overshoots by is to be no more than what it fills.
      const isNearer = group.length <= 2 * (wanted - taken);
      const isLast = left === 1;
      const side = isNearer && !isLast ? sides.test : sides.train;
      if (side === sides.test) [taken, left] = [taken + group.length, left - 1];
      side.push(...group);
    }
  }
  if (sides.test.length === 0 && sides.train.length > 0) throw nothingToTestOn(test, sides.train.length, largest);
  return sides;
}

/** @param largest the class that has the most examples, and how many of them were to be tested on */
function nothingToTestOn(part: number, count: number, largest: { count: number; wanted: number }): UserError {
  const held = `Cannot hold out ${part} of ${count} examples to test on as`;
  if (largest.wanted > 0) {
    return new UserError(
      `${held} equal ones stay on one side, and no class has so few to spare: expected a larger part, or more examples ` +
        "that differ",
    );
  }
  // Half an example is rounded to one.
  const least = Math.ceil(500 / largest.count) / 1000;
  return new UserError(
    `${held} that rounds to none of any class: expected ${
      largest.count > 1 ? `a part of ${least} or more` : "more examples"
    }`,
  );
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

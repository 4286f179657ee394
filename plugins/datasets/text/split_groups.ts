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
 * Draws a training and a test set, each class giving its share. Examples with the same key go to the same side, so that
 * nothing is tested on that was trained on.
 *
 * @throws UserError if all examples fall to one side
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
  let largest = 0;
  for (const [, own] of [...byClass].sort(([a], [b]) => a - b)) {
    const order = random.shuffle(Uint32Array.from(own, (_, index) => index));
    const drawn = takeWhole(Array.from(order, (index) => own[index]), takeEach ?? Infinity);
    const count = drawn.reduce((sum, group) => sum + group.length, 0);
    const wanted = Math.round(test * count);
    largest = Math.max(largest, count);
    let taken = 0;
    for (const group of drawn) {
      const side = taken < wanted ? sides.test : sides.train;
      if (side === sides.test) taken += group.length;
      side.push(...group);
    }
  }
  expectBoth(sides, test, largest);
  return sides;
}

/** @param largest examples of the class that has the most of them */
function expectBoth(
  { train, test }: Record<"train" | "test", readonly unknown[]>,
  part: number,
  largest: number,
): void {
  const count = train.length + test.length;
  if (count === 0 || (train.length > 0 && test.length > 0)) return;
  const held = `Cannot hold out ${part} of ${count} examples to test on as`;
  if (test.length > 0) {
    throw new UserError(`${held} none is left to train on: expected a smaller part, or more examples`);
  }
  // Half an example is rounded to one.
  const least = Math.ceil(500 / largest) / 1000;
  throw new UserError(
    `${held} that rounds to none of any class: expected ${
      largest > 1 ? `a part of ${least} or more` : "more examples"
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

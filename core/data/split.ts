import { UserError } from "../errors.ts";
import { firstIndices } from "./loader.ts";
import { Random } from "./random.ts";

/** How {@link splitExamples} holds examples out. */
export interface SplitOptions {
  /** How many examples to hold out for validation, from 0 up to but not all. */
  readonly validation: number;
  readonly seed: number;
  /** The class of each example: then every class gives its share, to within one example. */
  readonly stratifyBy?: ArrayLike<number> | null;
}

/** Two sets of indices that share none. Each is in rising order. */
export interface Split {
  readonly training: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Splits examples at random into a training and a validation set. Equal options give equal sets.
 *
 * @param count the number of examples
 * @throws UserError if that many cannot be held out
 * @throws RangeError if there is not one class per example to stratify by
 *
 * @example
 * ```ts
 * const labels = Uint8Array.from({ length: 8000 }, (_, example) => example % 10);
 * const { training, validation } = splitExamples(8000, { validation: 1000, seed: 1, stratifyBy: labels });
 * ```
 */
export function splitExamples(count: number, { validation, seed, stratifyBy }: SplitOptions): Split {
  if (!Number.isSafeInteger(validation) || validation < 0 || validation >= count) {
    const limit = `a whole number from 0 to ${count - 1} leaves one for training`;
    throw new UserError(`Cannot hold out ${validation} of ${count} examples for validation: ${limit}`);
  }
  if (stratifyBy && stratifyBy.length !== count) {
    throw new RangeError(`Cannot stratify ${count} examples by ${stratifyBy.length} classes: one for each is needed`);
  }
  const random = new Random(seed).split("validation split");
  const groups = groupByClass(count, stratifyBy).map((indices) => random.shuffle(indices));
  const shares = apportion(groups.map((group) => group.length), validation, count);
  return {
    validation: inOrder(groups.map((group, g) => group.slice(0, shares[g]))),
    training: inOrder(groups.map((group, g) => group.slice(shares[g]))),
  };
}

/**
 * The first examples of a data set.
 *
 * @param available how many there are
 * @param count how many to take, from 1 up
 * @returns the indices 0 up to but not `count`
 * @throws UserError if there are fewer
 */
export function takeFirst(available: number, count: number): Uint32Array<ArrayBuffer> {
  if (!Number.isSafeInteger(count) || count < 1 || count > available) {
    throw new UserError(`Cannot take the first ${count} of ${available} examples: 1 to ${available} can be taken`);
  }
  return firstIndices(count);
}

/** The indices of each class, by rising class; one group of all without classes. */
function groupByClass(count: number, classes: ArrayLike<number> | null | undefined): number[][] {
  const groups = new Map<number, number[]>();
  for (let index = 0; index < count; index++) {
    const label = classes?.[index] ?? 0;
    const group = groups.get(label);
    if (group) group.push(index);
    else groups.set(label, [index]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, indices]) => indices);
}

/** Divides `total` among groups in proportion to their sizes: what rounding leaves goes to the largest remainders. */
function apportion(sizes: readonly number[], total: number, count: number): number[] {
  // Whole numbers throughout, so that equal remainders are equal on every machine.
  const shares = sizes.map((size) => Math.floor((size * total) / count));
  const byRemainder = sizes.map((size, group) => ({ group, remainder: (size * total) % count }))
    .sort((a, b) => b.remainder - a.remainder || a.group - b.group);
  const left = total - shares.reduce((sum, share) => sum + share, 0);
  for (const { group } of byRemainder.slice(0, left)) shares[group]++;
  return shares;
}

function inOrder(groups: readonly number[][]): Uint32Array {
  return Uint32Array.from(groups.flat()).sort();
}

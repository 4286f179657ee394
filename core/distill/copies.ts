import type { Examples } from "../plugin/dataset.ts";
import type { RunData } from "./load_data.ts";

/**
 * How many copies of validation examples that were drawn from the training examples are left out of these; `null` where
 * none is, or that is not known.
 *
 * @param from the split that they were drawn from
 */
export function describeCopies({ dataset: { splits }, validation }: RunData, from: string): string | null {
  const { equal } = splits.train;
  if (from !== "train" || !validation?.equal || !equal) return null;
  const drawn = new Set(validation.equal);
  const copies = equal.filter((number) => drawn.has(number)).length - drawn.size;
  if (copies <= 0) return null;
  return copies === 1
    ? "1 copy of a validation example is left out of training"
    : `${copies} copies of validation examples are left out of training`;
}

/**
 * What is to be said where examples that were drawn for validation from another split are trained on as well, as
 * copies; `null` where none is, or that is not known. Of the whole of a split the data set says so itself.
 *
 * @param from the split that they were drawn from
 */
export function repeatedValidation({ dataset: { splits }, train, validation }: RunData, from: string): string | null {
  if (!validation?.equal || !train.equal || validation.length === splits[from].length) return null;
  const trained = new Set(train.equal);
  const twice = validation.equal.filter((number) => trained.has(number)).length;
  if (twice === 0) return null;
  return `${twice} of the ${validation.length} validation examples that were drawn are training examples, too: what ` +
    "training is watched by is better than on new ones; leave copies out of the data";
}

/**
 * How many test examples are copies of examples that something learns by; `null` where that is not known.
 *
 * @param heldOut what only a teacher learns by
 */
export function countTestCopies({ train, test }: RunData, heldOut: Examples | null): number | null {
  if (!train.equal || !test.equal) return null;
  const trained = new Set([...train.equal, ...heldOut?.equal ?? []]);
  return test.equal.filter((number) => trained.has(number)).length;
}

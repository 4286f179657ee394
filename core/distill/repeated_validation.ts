import type { RunData } from "./load_data.ts";

/**
 * What is to be said where examples that were drawn for validation are trained on as well, as copies; `null` where none
 * is, or that is not known. Of a data set's own splits it says so itself.
 */
export function repeatedValidation({ dataset: { splits }, train, validation }: RunData): string | null {
  if (!validation?.equal || !train.equal || Object.values(splits).includes(validation)) return null;
  const trained = new Set(train.equal);
  const twice = validation.equal.filter((number) => trained.has(number)).length;
  if (twice === 0) return null;
  return `${twice} of the ${validation.length} validation examples that were drawn are training examples, too: what ` +
    "training is watched by is better than on new ones; leave copies out of the data";
}

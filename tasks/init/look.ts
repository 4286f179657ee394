import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { describeSkipped, loadData } from "../../core/distill/load_data.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import type { Examples, InputDescription } from "../../core/plugin/dataset.ts";
import { labelledOf } from "../../core/plugin/labelled.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { builtins } from "../../plugins/builtins.ts";
import type { Plain } from "./entries.ts";

/** What is in a data set, as its plug-in reads it. */
export interface Look {
  readonly input: InputDescription;
  readonly train: number;
  /** Training examples with a label, of which validation is taken if there are any. */
  readonly labelled: number;
  readonly test: number;
  /** Test examples with a label, on which alone is measured. */
  readonly labelledTest: number;
  /** How many training examples each class has; `null` where an example has not one class. */
  readonly counts: readonly number[] | null;
  /** Tokens of each training text in order; `null` for images. */
  readonly lengths: Uint16Array | null;
  /** Lines for the user about what was left out. */
  readonly skipped: readonly string[];
}

/** Around a data set that is only looked at. */
const AROUND = `
name: look
dataset: { use: none }
validation: null
student: { use: resnet, depth: 8 }
losses: [{ use: cross-entropy }]
train: { epochs: 1 }
`;

/**
 * Loads a data set, to see what is in it.
 *
 * @param dataset as a recipe has it
 * @param base the recipe's folder
 * @param label stands before what is wrong with the data: `--data reviews.csv`
 * @throws UserError for data that cannot be used
 */
export async function lookAtData(dataset: Record<string, Plain>, base: string, label: string): Promise<Look> {
  const overrides = [{ path: ["dataset"], value: dataset, label }];
  const recipe = parseChecked(AROUND, join(base, "recipe.yaml"), recipeSchema, { overrides });
  const plugins = await resolvePlugins(recipe, builtins);
  const { dataset: data, train, test } = await loadData(recipe, plugins.dataset, new Random(0));
  try {
    return {
      input: data.input,
      train: train.length,
      labelled: labelledOf(train),
      test: test.length,
      labelledTest: labelledOf(test),
      counts: countsOf(train, data.input),
      lengths: train.lengths?.slice().sort() ?? null,
      skipped: describeSkipped(data),
    };
  } finally {
    await data.close?.();
  }
}

function countsOf({ labels }: Examples, { task, classes }: InputDescription): number[] | null {
  if (task !== "classification" || labels === null) return null;
  const counts = Array<number>(classes.length).fill(0);
  // An example may have no class, whatever number stands for that.
  for (const label of labels) if (label < counts.length) counts[label]++;
  return counts;
}

/** The length that a part of the texts does not exceed. @param lengths in order, at least one */
export function percentile(lengths: ArrayLike<number>, part: number): number {
  return lengths[Math.min(lengths.length - 1, Math.max(0, Math.ceil(part * lengths.length) - 1))];
}

/** The part of the texts that are longer. @param lengths in order */
export function shareLonger(lengths: Uint16Array, most: number): number {
  return lengths.reduce((count, length) => count + (length > most ? 1 : 0), 0) / lengths.length;
}

import { dirname, resolve } from "node:path";
import type { Kin } from "../../core/assess/subject.ts";
import { UserError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Checked, ParseOptions } from "../../core/recipe/checked.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import { readRecipe } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { recipeNear } from "../support/saved_model.ts";

/**
 * The recipe of the run that a model is of; `null` of a model that is of no run.
 *
 * @param overrides what is set of all recipes, where it is a value that this one can have
 */
export async function ownRecipe(
  folder: string,
  overrides: NonNullable<ParseOptions["overrides"]>,
): Promise<Checked<Recipe> | null> {
  const file = await recipeNear(folder);
  if (file === null) return null;
  return await readRecipe(file, { overrides }).catch((error) => {
    if (error instanceof UserError && overrides.length > 0) return readRecipe(file);
    throw error;
  });
}

/** Which training and validation examples a model is judged by. */
export interface OwnSplit {
  /** What differs from the recipe that the models are assessed by, set to what the model's own says. */
  readonly overrides: readonly Override[];
  /** Why it is not known which examples the model was trained on: a sentence's part; `null` where it is. */
  readonly otherData: string | null;
  /** What of the division into training and validation examples is the model's own, in words; `null`: nothing. */
  readonly differs: string | null;
}

/** What decides which examples of a data set are trained on, and with which labels. */
const DIVISION = ["seed", "validation", "subset", "labelNoise"] as const;

/** Options of data sets by which texts are read otherwise, and the same are trained on. */
const FORM = ["tokenizer", "vocabularySize", "maxLength"];

/**
 * By which examples a model is judged beside others: another seed, or another `validation`, holds out others, most of
 * which the model of the other recipe was trained on.
 *
 * @param own the recipe of its run; `null`: it is of none, and nothing is known
 * @param recipe that which all are assessed by
 */
export function ownSplit(own: Checked<Recipe> | null, recipe: Checked<Recipe>): OwnSplit {
  if (own === null) return { overrides: [], otherData: null, differs: null };
  if (dataOf(own) !== dataOf(recipe)) {
    return {
      overrides: [],
      otherData:
        `its run's recipe, "${own.file}", has other data than "${recipe.file}", so that it is not known which ` +
        "of the examples it was trained on",
      differs: null,
    };
  }
  const others = DIVISION.filter((key) => inOrder(own.value[key]) !== inOrder(recipe.value[key]));
  const overrides = others.map((key) => ({ path: [key], value: own.value[key], label: own.file }));
  return { overrides, otherData: null, differs: others.length === 0 ? null : others.join(", ") };
}

function dataOf(recipe: Checked<Recipe>): string {
  const said = Object.entries(recipe.value.dataset).filter(([key]) => !FORM.includes(key));
  return inOrder([resolve(dirname(recipe.file), recipe.value.base), Object.fromEntries(said)]);
}

/** JSON in which the keys of maps are in the order of the alphabet. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (!isJsonObject(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => a < b ? -1 : 1));
  });
}

/** By what a run is found to be another's twin without chains; `null` of a model that is of no run. */
export function kinOf(own: Checked<Recipe> | null): Kin | null {
  if (own === null) return null;
  const { seed, validation, subset, labelNoise, augment, teacher, student, losses, train } = own.value;
  const { overParameterise: _, ...plain } = student;
  const { epochs, maxSteps, batchSize, accumulate, theseus, lgtm } = train;
  const trained = { epochs, maxSteps, batchSize, accumulate, theseus, lgtm };
  return {
    key: inOrder([dataOf(own), seed, validation, subset, labelNoise, augment, teacher, plain, trained]),
    losses: losses.map(({ use }) => use),
  };
}

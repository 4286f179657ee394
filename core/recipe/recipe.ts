import { expectArguments } from "../arguments.ts";
import { readUserFile } from "../files.ts";
import { dirname, isAbsolute, relative, resolve } from "../paths.ts";
import { type Checked, parseChecked, type ParseOptions } from "./checked.ts";
import { type Recipe, recipeSchema } from "./schema.ts";

/**
 * Reads a recipe.
 *
 * @param file its path; error messages name it as it is given here
 * @param options what is set from outside
 * @returns the recipe, with the options of plug-ins still to be checked by them
 * @throws UserError if the file cannot be read, or for every mistake in it
 *
 * @example
 * ```ts
 * const recipe = await readRecipe("tasks/recipes/quickstart.yaml", { overrides: ["train.epochs=2"] });
 * recipe.value.train.epochs; // 2
 * ```
 */
export async function readRecipe(file: string, options: ParseOptions = {}): Promise<Checked<Recipe>> {
  expectArguments("readRecipe", { file: [file, "a path"], options: [options, "a map"] });
  const text = new TextDecoder().decode(await readUserFile(file, "the recipe"));
  return parseChecked(text, file, recipeSchema, options);
}

/**
 * Where a file named in a recipe is.
 *
 * @param name a path relative to the recipe's base, or an absolute one
 * @returns an absolute path
 */
export function resolveFile(recipe: Checked<Recipe>, name: string): string {
  return resolve(dirname(recipe.file), recipe.value.base, name);
}

/**
 * The `base` with which a copy of a recipe in another folder names the same files.
 *
 * @param folder the folder of the copy
 * @returns a path relative to that folder, with forward slashes
 */
export function baseFrom(recipe: Checked<Recipe>, folder: string): string {
  const path = relative(resolve(folder), resolveFile(recipe, "."));
  // On Windows there is no relative path from one drive to another.
  return isAbsolute(path) ? path : path.replaceAll("\\", "/") || ".";
}

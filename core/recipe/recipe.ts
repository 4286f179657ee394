import { expectArguments } from "../arguments.ts";
import { UserError } from "../errors.ts";
import { readUserFile } from "../files.ts";
import { dirname, isAbsolute, relative, resolve } from "../paths.ts";
import { type Checked, parseChecked, type ParseOptions } from "./checked.ts";
import { isMap } from "./paths.ts";
import { type Recipe, recipeSchema } from "./schema.ts";
import { readYaml } from "./yaml_source.ts";

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
  return parseRecipe(text, file, options);
}

/** What else such a file may be, by the key that only it has, and what runs it. */
const OTHER_FILES = [
  ["rows", "an experiment: deno task compare runs it"],
  ["experiments", "a series of experiments: deno task compare runs it"],
  ["stages", "a file of stages: deno task distill runs it"],
] as const;

/** {@link readRecipe} of a text. @throws UserError for every mistake in it, or if it is another kind of file */
export function parseRecipe(text: string, file: string, options?: ParseOptions): Checked<Recipe> {
  try {
    return parseChecked(text, file, recipeSchema, options);
  } catch (error) {
    const { value } = readYaml(text);
    // In a recipe that has a student such a key is a slip, as of a chain's rows that are not indented.
    const other = isMap(value) && !Object.hasOwn(value, "student") &&
      OTHER_FILES.find(([key]) => Object.hasOwn(value, key));
    if (!(error instanceof UserError) || !other) throw error;
    throw new UserError(`Expected a recipe: "${file}" has "${other[0]}" and is ${other[1]}`, { cause: error });
  }
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

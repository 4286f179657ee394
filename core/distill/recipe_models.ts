import { isUrl } from "../data/remote_file.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import { noVectors } from "../plugin/inputs.ts";
import type { Model } from "../plugin/model.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Path } from "../recipe/paths.ts";
import { resolveFile } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import { type ReadingOptions, readModelWeights } from "../model_folder/read_weights.ts";
import type { Resolved } from "./resolve_plugins.ts";

/**
 * A model of the recipe with the sizes that the data asks for.
 *
 * @throws UserError with line and column if the options do not fit the data
 */
export function buildModel(
  recipe: Checked<Recipe>,
  { definition, options, path }: Resolved<"model">,
  input: InputDescription,
): Model {
  return recipe.within(path, () => {
    const model = definition.build(options, input);
    if (input.task === "embedding" && model.gives?.includes("logits") !== false) throw noVectors();
    return model;
  });
}

/**
 * Reads the weights that a recipe names for a model.
 *
 * @param who "teacher" or "student": where the recipe names them
 * @param name what it says there
 * @param path where the recipe names them, unless it is for the one teacher or the student
 * @throws UserError with line and column if they cannot be read or do not fit
 */
export async function readRecipeWeights(
  recipe: Checked<Recipe>,
  who: "teacher" | "student",
  name: string,
  model: Model,
  { path = [who, "weights"], ...options }: ReadingOptions & { readonly path?: Path } = {},
): Promise<Map<string, Float32Array>> {
  if (isUrl(name)) {
    throw recipe.error(path, `Cannot load weights from "${name}": download the file and name its path`);
  }
  return await recipe.within(path, () => readModelWeights(resolveFile(recipe, name), model, who, options));
}

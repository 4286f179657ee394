import { isUrl } from "../data/remote_file.ts";
import { lookAt } from "../files.ts";
import { CONFIG_FILE, readForeignConfig, withinConfig } from "../model_folder/config_file.ts";
import { readStoredShapes } from "../model_folder/stored_tensors.ts";
import { dirname, join } from "../paths.ts";
import type { TensorShapes } from "../plugin/model.ts";
import type { Checked } from "../recipe/checked.ts";
import { resolveFile } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Resolved } from "./resolve_plugins.ts";

/**
 * Fills what a recipe's options leave open for a model: from the config.json that they name as `config`, or from that
 * beside the weights, and from the weights themselves.
 *
 * @param weights what the recipe names as the model's weights
 * @throws UserError with line and column if the config is of another family of models, or the weights of another model
 */
export async function completeOptions(
  recipe: Checked<Recipe>,
  resolved: Resolved<"model">,
  weights: string | null,
): Promise<Resolved<"model">> {
  return withFilled(resolved, await byWeights(recipe, await byConfig(recipe, resolved, weights), weights));
}

/** A model as it was completed, with what was filled in; what was before that stays noted. */
function withFilled(before: Resolved<"model">, after: Resolved<"model">): Resolved<"model"> {
  const filled = Object.entries(after.options ?? {}).filter(([key, value]) =>
    key !== "labels" && JSON.stringify(value) !== JSON.stringify(before.options?.[key])
  );
  return { ...after, filled: { ...before.filled, ...Object.fromEntries(filled) } };
}

async function byConfig(
  recipe: Checked<Recipe>,
  resolved: Resolved<"model">,
  weights: string | null,
): Promise<Resolved<"model">> {
  const { definition, options, path } = resolved;
  if (!definition.fromConfig) return resolved;
  const named: string | null = typeof options.config === "string" ? options.config : null;
  const file = await configFile(recipe, named ?? weights);
  if (!file && named === null) return resolved;
  return await recipe.within(path, async () => {
    const read = file ?? resolveFile(recipe, named!);
    const config = await readForeignConfig(read);
    return { ...resolved, options: withinConfig(read, () => definition.fromConfig!(config, options)) };
  });
}

async function byWeights(
  recipe: Checked<Recipe>,
  resolved: Resolved<"model">,
  weights: string | null,
): Promise<Resolved<"model">> {
  const { definition, options, path } = resolved;
  if (!definition.fromWeights || weights === null || isUrl(weights)) return resolved;
  return await recipe.within([...path, "weights"], async () => {
    let shapes: TensorShapes = new Map();
    let unread: unknown = null;
    try {
      shapes = await readStoredShapes(resolveFile(recipe, weights));
    } catch (error) {
      unread = error;
    }
    const file = await configFile(recipe, weights);
    const config = file === null ? null : await readForeignConfig(file).catch(() => null);
    try {
      return { ...resolved, options: definition.fromWeights!({ shapes, config }, options) };
    } catch (error) {
      // Where the options say it all, as those of a run whose weights are gone, they are not needed yet.
      throw unread ?? error;
    }
  });
}

/**
 * Fills what the options of a student leave open that starts from its teacher's layers, by those of the teacher.
 *
 * @throws UserError with line and column if they cannot be told
 */
export function followTeacher(
  recipe: Checked<Recipe>,
  student: Resolved<"model">,
  teacher: Resolved<"model"> | null,
): Resolved<"model"> {
  const { initialise } = recipe.value.student;
  const { definition, options, path } = student;
  if (initialise?.from !== "teacher" || !definition.fromTeacher || teacher?.definition !== definition) return student;
  const layers = Array.isArray(initialise.layers) ? initialise.layers.length : null;
  const following = recipe.within(path, () => definition.fromTeacher!(options, teacher.options, layers));
  return withFilled(student, { ...student, options: following });
}

/** The config.json that a path stands for: itself, in a folder, or beside a file of weights. */
async function configFile(recipe: Checked<Recipe>, name: string | null): Promise<string | null> {
  if (name === null) return null;
  const path = resolveFile(recipe, name);
  const isConfig = path.endsWith(".json") && !path.endsWith(".index.json");
  const isFolder = (await lookAt(path))?.kind === "folder";
  const file = isConfig ? path : join(isFolder ? path : dirname(path), CONFIG_FILE);
  return (await lookAt(file))?.kind === "file" ? file : null;
}

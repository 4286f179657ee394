import { dirname, join } from "node:path";
import { CONFIG_FILE, readForeignConfig, withinConfig } from "../model_folder/config_file.ts";
import type { Checked } from "../recipe/checked.ts";
import { resolveFile } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Resolved } from "./resolve_plugins.ts";

/**
 * Fills what a recipe's options leave open for a model: from the config.json that they name as `config`, or from that
 * beside the weights.
 *
 * @param weights what the recipe names as the model's weights
 * @throws UserError with line and column if the config is of another family of models
 */
export async function completeOptions(
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

/** The config.json that a path stands for: itself, in a folder, or beside a file of weights. */
async function configFile(recipe: Checked<Recipe>, name: string | null): Promise<string | null> {
  if (name === null) return null;
  const path = resolveFile(recipe, name);
  const isConfig = path.endsWith(".json") && !path.endsWith(".index.json");
  const isFolder = await Deno.stat(path).then((info) => info.isDirectory, () => false);
  const file = isConfig ? path : join(isFolder ? path : dirname(path), CONFIG_FILE);
  return await Deno.stat(file).then((info) => info.isFile, () => false) ? file : null;
}

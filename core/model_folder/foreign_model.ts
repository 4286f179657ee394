import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { readUserFile } from "../files.ts";
import { optionKit } from "../plugin/kit.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import type { Checked } from "../recipe/checked.ts";
import { resolveFile } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import type { Resolved } from "../distill/resolve_plugins.ts";

const CONFIG_FILE = "config.json";

/** A config.json as it is. */
export type ForeignConfig = Readonly<Record<string, unknown>>;

/** The JSON object in a file. @throws UserError if there is none */
export async function readForeignConfig(file: string): Promise<ForeignConfig> {
  const text = new TextDecoder().decode(await readUserFile(file, "the model's description"));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`Cannot read "${file}" as it is no JSON: ${(error as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as ForeignConfig;
  throw new UserError(`Cannot read "${file}" as a model's description: expected a JSON object`);
}

/** The family that builds a Hugging Face model. @throws UserError if there is none */
export function familyOf(
  { model_type: type }: ForeignConfig,
  definitions: readonly ModelDefinition[],
): ModelDefinition {
  const family = definitions.find(({ modelTypes }) => modelTypes?.includes(String(type)));
  if (family) return family;
  const known = definitions.flatMap(({ modelTypes }) => modelTypes ?? []);
  throw new UserError(`Cannot build a model of type "${type}": expected one of ${known.join(", ")}`);
}

/** The options of a saved model, by its family's own reading of its config.json; `null` if the family reads none. */
export function savedOptions(definition: ModelDefinition, config: ForeignConfig): unknown {
  return definition.fromConfig?.(config, definition.options(optionKit).parse({})) ?? null;
}

/**
 * A model that was saved by another program, built for a data set; `null` if its config.json is this program's or none.
 *
 * @throws UserError if no family builds such a model, or it does not fit the data
 */
export async function buildForeign(
  file: string,
  definitions: readonly ModelDefinition[],
  data: InputDescription,
): Promise<{ readonly architecture: string; readonly model: Model } | null> {
  const config = await readForeignConfig(file).catch(() => null);
  if (!config || config.architecture !== undefined || config.model_type === undefined) return null;
  try {
    const definition = familyOf(config, definitions);
    return { architecture: definition.name, model: definition.build(savedOptions(definition, config), data) };
  } catch (error) {
    throw error instanceof UserError ? new UserError(`Cannot build the model in "${file}": ${error.message}`) : error;
  }
}

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
  try {
    const config = await readForeignConfig(file ?? resolveFile(recipe, named!));
    return { ...resolved, options: definition.fromConfig(config, options) };
  } catch (error) {
    throw error instanceof UserError ? recipe.error(path, error.message) : error;
  }
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

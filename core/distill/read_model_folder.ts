import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { readUserFile } from "../files.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import { optionKit } from "../plugin/kit.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import { type Checked, parseChecked } from "../recipe/checked.ts";
import { listWords } from "../recipe/words.ts";
import { CONFIG_FILE, readModelWeights } from "./model_folder.ts";

const numbers = z.array(z.number());

/** What every `config.json` of a model folder has; its other keys are options of the model plug-in. */
const configSchema = z.looseObject({
  architecture: z.string().min(1).describe("Name of the model plug-in"),
  input: z.looseObject({
    height: z.int().min(1),
    width: z.int().min(1),
    channels: z.int().min(1),
    normalise: z.strictObject({ mean: numbers, std: numbers }),
  }).describe("Images that the model takes"),
  labels: z.array(z.string()).min(1).describe("Names of the classes"),
});

type Config = Checked<z.output<typeof configSchema>>;

/** A model that was saved, ready to run. */
export interface SavedModel {
  readonly architecture: string;
  readonly model: Model;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/**
 * Reads a model folder: what it is from `config.json`, its weights from `model.safetensors`.
 *
 * @param definitions the model plug-ins that may be meant
 * @param data what the model is to be run on; it must be what the model was trained for
 * @throws UserError if a file is missing or wrong, no plug-in has that architecture, or the model takes other data
 */
export async function readModelFolder(
  folder: string,
  definitions: readonly ModelDefinition[],
  data: InputDescription,
): Promise<SavedModel> {
  const file = join(folder, CONFIG_FILE);
  const text = new TextDecoder().decode(await readUserFile(file, "the model's description"));
  // JSON is YAML, and so its mistakes are shown with line and column, too.
  const config = parseChecked(text, file, configSchema);
  const name = config.oneOf(["architecture"], "model", definitions.map(({ name }) => name));
  const definition = definitions.find((definition) => definition.name === name)!;
  const options = config.check([], definition.options(optionKit), Object.keys(configSchema.shape));
  checkData(config, data);
  const model = buildSaved(config, definition, options, data);
  return { architecture: name, model, weights: await readModelWeights(folder, model, "model") };
}

/** A model sees nonsense in images of another size or normalisation, and its classes are numbers only. */
function checkData(config: Config, { image, normalise, classes }: InputDescription): void {
  const { input, labels } = config.value;
  const differing: [path: string[], what: string, own: unknown[], given: readonly unknown[]][] = [
    [["input"], "images of", [input.height, input.width, input.channels], image],
    [["input", "normalise", "mean"], "pixels with mean", input.normalise.mean, normalise.mean],
    [["input", "normalise", "std"], "pixels with standard deviation", input.normalise.std, normalise.std],
    [["labels"], "the classes", labels, classes],
  ];
  for (const [path, what, own, given] of differing) {
    if (own.join() === given.join()) continue;
    throw config.error(
      path,
      `Cannot run the model on this data set: it takes ${what} ${list(own)}, and the data set has ${list(given)}`,
    );
  }
}

function list(values: readonly unknown[]): string {
  return listWords(values.map(String), "and");
}

function buildSaved(config: Config, definition: ModelDefinition, options: unknown, data: InputDescription): Model {
  try {
    return definition.build(options, data);
  } catch (error) {
    throw error instanceof UserError ? config.error(["architecture"], error.message) : error;
  }
}

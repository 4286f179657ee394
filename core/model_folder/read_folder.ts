import { join } from "../paths.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import { listWords } from "../recipe/words.ts";
import { areSameClasses } from "../plugin/class_names.ts";
import { buildForeign } from "./foreign_model.ts";
import { CONFIG_FILE } from "./config_file.ts";
import { type Config, readOwnConfig } from "./own_config.ts";
import { readModelWeights } from "./read_weights.ts";

type ImageConfig = Extract<Config["value"]["input"], { height: number }>;

/** A model that was saved, ready to run. */
export interface SavedModel {
  readonly architecture: string;
  readonly model: Model;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/**
 * Reads a model folder, this program's or another's (Hugging Face's): what it is from `config.json`, its weights from
 * `model.safetensors`.
 *
 * @param definitions the model plug-ins that may be meant
 * @param data what the model is to be run on; it must be what the model was trained for
 * @param report takes lines for the user
 * @throws UserError if a file is missing or wrong, no plug-in has that architecture, or the model takes other data
 */
export async function readModelFolder(
  folder: string,
  definitions: readonly ModelDefinition[],
  data: InputDescription,
  report: (line: string) => void = () => {},
): Promise<SavedModel> {
  const file = join(folder, CONFIG_FILE);
  const foreign = await buildForeign(file, definitions, data);
  if (foreign) return { ...foreign, weights: await readModelWeights(folder, foreign.model, "model", { report }) };
  const { config, definition, build } = await readOwnConfig(file, definitions);
  checkData(config, data);
  const model = config.within(["architecture"], () => build(data));
  const weights = await readModelWeights(folder, model, "model", { report });
  return { architecture: definition.name, model, weights };
}

/** A model sees nonsense in images of another size or normalisation, and its classes are numbers only. */
function checkData(config: Config, data: InputDescription): void {
  const { task, labels } = config.value;
  const differing: Difference[] = [
    [["task"], "the task", [task], [data.task]],
    ...inputDifferences(config.value.input, data),
    [["labels"], "the classes", labels, data.classes],
  ];
  for (const [path, what, own, given] of differing) {
    if (path[0] === "labels" ? areSameClasses(labels, data.classes) : own.join() === given.join()) continue;
    throw config.error(
      path,
      `Cannot run the model on this data set: it takes ${what} ${list(own)}, and the data set has ${list(given)}`,
    );
  }
}

/** A key of `config.json`, its meaning, the model's value and the data set's. */
type Difference = [path: string[], what: string, own: readonly unknown[], given: readonly unknown[]];

function inputDifferences(input: Config["value"]["input"], { image, text }: InputDescription): Difference[] {
  const given = image ? "images" : "text";
  if (!("normalise" in input)) {
    if (!text) return [[["input"], "as input", ["text"], [given]]];
    return [
      [["input", "vocabulary"], "a vocabulary of", [input.vocabulary], [text.vocabulary]],
      [["input", "padding"], "as padding the token", [input.padding], [text.padding]],
    ];
  }
  if (!image) return [[["input"], "as input", ["images"], [given]]];
  const { height, width, channels, normalise } = input as ImageConfig;
  return [
    [["input"], "images of", [height, width, channels], image.size],
    [["input", "normalise", "mean"], "pixels with mean", normalise.mean, image.normalise.mean],
    [["input", "normalise", "std"], "pixels with standard deviation", normalise.std, image.normalise.std],
  ];
}

function list(values: readonly unknown[]): string {
  return listWords(values.map(String), "and");
}

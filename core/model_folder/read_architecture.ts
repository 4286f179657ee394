import { UserError } from "../errors.ts";
import { showJson } from "../json.ts";
import { join } from "../paths.ts";
import { countIn, labelsIn } from "../plugin/config_values.ts";
import type { ImageInput, InputDescription, TextInput } from "../plugin/dataset.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import { listWords } from "../recipe/words.ts";
import { familyOf, type ForeignConfig, savedOptions, sentenceModulesOf } from "../plugin/saved_options.ts";
import { SEVERAL_LABELS } from "./class_names.ts";
import { CONFIG_FILE, readForeignConfig, withinConfig } from "./config_file.ts";
import { INPUT_BOUNDS } from "./input_bounds.ts";
import { readOwnConfig } from "./own_config.ts";

/** Hugging Face's number of labels where a config does not say it. */
const DEFAULT_LABELS = 2;

/** The most tokens of an encoder whose config does not say it. */
const DEFAULT_POSITIONS = 512;

/** Channels of images whose config does not say it. */
const DEFAULT_CHANNELS = 3;

/** A model without its numbers. */
export interface DescribedModel {
  /** The config.json that it was built from. */
  readonly file: string;
  readonly architecture: string;
  readonly model: Model;
  /** What it takes and answers. */
  readonly input: InputDescription;
  /** Whether the config says how pixels are normalised; another file does for Hugging Face's. */
  readonly saysNormalisation: boolean;
}

/**
 * Builds a model from its config.json alone, this program's or Hugging Face's: which tensors it has, of which shapes.
 *
 * @param path a model folder, or the file
 * @throws UserError if there is none, or it is of a model that no plug-in builds
 */
export async function readDescribedModel(
  path: string,
  given: readonly ModelDefinition[],
): Promise<DescribedModel> {
  // A file of a teacher's outputs is no model that anybody saves.
  const definitions = given.filter(({ record }) => !record);
  const file = path.endsWith(".json") ? path : join(path, CONFIG_FILE);
  const config = await readForeignConfig(file);
  if (config.architecture !== undefined) {
    const { definition, input, build } = await readOwnConfig(file, definitions);
    const model = withinConfig(file, () => build(input));
    return { file, architecture: definition.name, model, input, saysNormalisation: true };
  }
  return withinConfig(file, () => {
    if (config.model_type === undefined) {
      const names = listWords(definitions.map(({ name }) => name), "or");
      throw new UserError(`it has no architecture, expected ${names}, or a model_type`);
    }
    const definition = familyOf(config, definitions);
    const options = savedOptions(definition, config);
    const input = inputOf(config);
    const model = definition.build(options, input);
    return { file, architecture: definition.name, model, input, saysNormalisation: false };
  });
}

/** The data that another program's model takes. */
function inputOf(config: ForeignConfig): InputDescription {
  const { problem_type: problem, architectures } = config;
  const classes = labelsIn(config) ?? Array.from({ length: DEFAULT_LABELS }, (_, index) => `LABEL_${index}`);
  const image = imageIn(config);
  const several = problem === SEVERAL_LABELS;
  if (image) return { task: several ? "multi-label" : "classification", classes, image, text: null };
  const sentences = sentenceModulesOf(config);
  if (sentences) return { task: "embedding", classes: [], image: null, text: textIn(config, sentences.maxLength) };
  const isTagger = Array.isArray(architectures) && architectures.some((name) => /TokenClassification$/.test(name));
  // One number is one to transformers, too, unless the config says otherwise.
  const isNumber = problem === "regression" || ((problem ?? null) === null && classes.length === 1);
  const told = isNumber ? "regression" : several ? "multi-label" : "classification";
  const task = isTagger ? "tagging" : told;
  return { task, classes, image: null, text: textIn(config) };
}

function imageIn(config: ForeignConfig): ImageInput | null {
  const { image_size: stated } = config;
  if (stated === undefined) return null;
  const sides = [stated].flat();
  if (sides.length < 1 || sides.length > 2) {
    throw new UserError(
      `Cannot read image_size of the config: expected one number or height and width, got ${showJson(stated)}`,
    );
  }
  const [height, width] = sides.map((image_size) => countIn({ image_size }, "image_size", INPUT_BOUNDS.height));
  if (height === null || width === null) {
    throw new UserError("Cannot read image_size of the config: expected one number or height and width, got null");
  }
  const channels = countIn(config, "num_channels", INPUT_BOUNDS.channels) ?? DEFAULT_CHANNELS;
  const normalise = { mean: Array(channels).fill(0.5), std: Array(channels).fill(0.5) };
  return { size: [height, width ?? height, channels], normalise };
}

/** @param most tokens that another file gives a text, whatever positions there are */
function textIn(config: ForeignConfig, most: number | null = null): TextInput {
  // Encoders of RoBERTa's kind count positions from behind the padding token's number.
  const counted = /roberta|camembert|mpnet/.test(String(config.model_type));
  const padding = countIn(config, "pad_token_id", INPUT_BOUNDS.padding) ?? (counted ? 1 : 0);
  const unused = counted ? padding + 1 : 0;
  const stated = countIn(config, "max_position_embeddings", INPUT_BOUNDS.maxLength);
  const maxLength = stated === null ? DEFAULT_POSITIONS : stated - unused;
  if (maxLength < 1) {
    throw new UserError(
      `Cannot read max_position_embeddings of the config: expected more than ${unused}, as positions are counted from ` +
        `behind the padding token's number, got ${stated}`,
    );
  }
  const vocabulary = countIn(config, "vocab_size", INPUT_BOUNDS.vocabulary) ?? 1;
  return { vocabulary, maxLength: Math.min(maxLength, most ?? maxLength), padding, files: {} };
}

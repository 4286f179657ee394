import { join } from "node:path";
import { UserError } from "../errors.ts";
import { optionKit } from "../plugin/kit.ts";
import type { ImageInput, InputDescription, Task, TextInput } from "../plugin/dataset.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import { listWords } from "../recipe/words.ts";
import { familyOf, type ForeignConfig } from "../plugin/saved_options.ts";
import { readForeignConfig } from "./config_file.ts";
import { CONFIG_FILE } from "./config_file.ts";

/** The keys that this program adds to a config.json beside the options of the model plug-in. */
const OWN_KEYS = ["architecture", "task", "input", "labels", "run"];

/** Hugging Face's number of labels where a config does not say it. */
const DEFAULT_LABELS = 2;

/** The most tokens of an encoder whose config does not say it. */
const DEFAULT_POSITIONS = 512;

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
  definitions: readonly ModelDefinition[],
): Promise<DescribedModel> {
  const file = path.endsWith(".json") ? path : join(path, CONFIG_FILE);
  const config = await readForeignConfig(file);
  try {
    const definition = definitionOf(config, definitions);
    const options = definition.fromConfig
      ? definition.fromConfig(config, definition.options(optionKit).parse({}))
      : definition.options(optionKit).parse(Object.fromEntries(
        Object.entries(config).filter(([key]) => !OWN_KEYS.includes(key)),
      ));
    const input = inputOf(config);
    const model = definition.build(options, input);
    return { file, architecture: definition.name, model, input, saysNormalisation: config.input !== undefined };
  } catch (error) {
    throw error instanceof UserError ? new UserError(`Cannot build the model in "${file}": ${error.message}`) : error;
  }
}

function definitionOf({ architecture, model_type }: ForeignConfig, definitions: readonly ModelDefinition[]) {
  if (architecture === undefined && model_type !== undefined) return familyOf({ model_type }, definitions);
  const found = definitions.find(({ name }) => name === architecture);
  if (found) return found;
  const names = listWords(definitions.map(({ name }) => name), "or");
  throw new UserError(`its architecture is ${JSON.stringify(architecture)}, expected ${names}, or a model_type`);
}

/** The data that a config.json's model takes. */
function inputOf(config: ForeignConfig): InputDescription {
  const { input, labels, task } = config as {
    input?: Pick<ImageInput, "normalise"> & Readonly<Record<"height" | "width" | "channels" | keyof TextInput, number>>;
    labels?: string[];
    task?: Task;
  };
  if (input?.normalise && labels) {
    const { height, width, channels, normalise } = input;
    const image = { size: [height, width, channels], normalise } as const;
    return { task: task ?? "classification", classes: labels, image, text: null };
  }
  const { image_size, num_channels, id2label, problem_type, architectures } = config;
  const unnamed = Array.from({ length: DEFAULT_LABELS }, (_, index) => `LABEL_${index}`);
  const classes = labels ?? Object.values(id2label ?? unnamed).map(String);
  if (image_size !== undefined) {
    const [height, width] = [image_size].flat().map(Number);
    const channels = Number(num_channels ?? 3);
    const normalise = { mean: Array(channels).fill(0.5), std: Array(channels).fill(0.5) };
    const image = { size: [height, width ?? height, channels], normalise } as const;
    return { task: "classification", classes, image, text: null };
  }
  const isTagger = Array.isArray(architectures) && architectures.some((name) => /TokenClassification$/.test(name));
  const kind = isTagger ? "tagging" : problem_type === "regression" ? "regression" : "classification";
  return { task: task ?? kind, classes, image: null, text: textOf(config, input) };
}

function textOf(config: ForeignConfig, own: Partial<Record<keyof TextInput, number>> = {}): TextInput {
  const { vocab_size, pad_token_id, max_position_embeddings, model_type } = config;
  const padding = own.padding ?? Number(pad_token_id ?? 0);
  // Encoders of RoBERTa's kind count positions from behind the padding token's number.
  const unused = /roberta|camembert/.test(String(model_type)) ? padding + 1 : 0;
  const positions = max_position_embeddings === undefined
    ? DEFAULT_POSITIONS
    : Number(max_position_embeddings) - unused;
  return {
    vocabulary: own.vocabulary ?? Number(vocab_size ?? 1),
    maxLength: own.maxLength ?? positions,
    padding,
    files: {},
  };
}

import { z } from "zod";
import { readUserFile } from "../files.ts";
import { dirname } from "../paths.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import { factoredModel, FACTORS } from "../plugin/factored_model.ts";
import { optionKit } from "../plugin/kit.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import { hasClasses } from "../plugin/inputs.ts";
import { type ForeignConfig, savedOptions } from "../plugin/saved_options.ts";
import { bounded } from "../recipe/bounds.ts";
import { type Checked, parseChecked } from "../recipe/checked.ts";
import { EXPORTED_FROM } from "./describing_folder.ts";
import { INPUT_BOUNDS } from "./input_bounds.ts";
import { readSentenceModules } from "./sentence_modules.ts";

const size = (key: keyof typeof INPUT_BOUNDS) => {
  const { least = 1, most, reason } = INPUT_BOUNDS[key];
  return bounded(z.int().min(least).max(most), reason);
};

/** The keys of every `config.json` of a model folder; its other keys are options of the model plug-in. */
const configSchema = z.looseObject({
  architecture: z.string().min(1).describe("Name of the model plug-in"),
  task: z.enum(["classification", "regression", "tagging", "multi-label", "embedding"]).default("classification")
    .describe(
      "What the model answers",
    ),
  input: z.union([
    z.looseObject({
      height: size("height"),
      width: size("width"),
      channels: size("channels"),
      normalise: z.strictObject({ mean: z.array(z.number()), std: z.array(z.number().positive()) }),
      orient: z.boolean().optional().describe("Whether pictures are turned as their EXIF data say; unset: they are"),
    }),
    z.looseObject({ vocabulary: size("vocabulary"), maxLength: size("maxLength"), padding: size("padding") }),
  ]).describe("Images or text that the model takes"),
  labels: z.array(z.string()).describe("Names of the classes; none for a regression and vectors of sentences"),
  run: z.string().optional().describe("Id of the run that made it"),
  temperature: z.number().positive().optional().describe("What logits are divided by before the softmax; unset: 1"),
  [FACTORS]: z.strictObject({
    ranks: z.record(z.string(), z.int().min(1)).describe("How wide the two factors of each weight are between them"),
    hidden: z.record(z.string(), z.unknown()).describe("What would let other programs take it for a model without"),
  }).optional().describe("Weights that are stored as two factors, and computed with as such"),
});

/** What the config.json of an export says besides, for other programs. */
const EXPORT_KEYS = [EXPORTED_FROM, "model_type", "id2label", "label2id", "problem_type", "num_channels"];

/** A config.json of this program, checked. */
export type Config = Checked<z.output<typeof configSchema>>;

/** A config.json of this program, and the model plug-in that it names with its options. */
export interface OwnConfig {
  readonly config: Config;
  readonly definition: ModelDefinition;
  /** What the model takes and answers. */
  readonly input: InputDescription;
  /** The model, for its own input or for data like it. @throws UserError if options or factors do not fit */
  build(data: InputDescription): Model;
}

/** Reads a config.json of this program. @throws UserError with line and column if it is not as it is written */
export async function readOwnConfig(file: string, given: readonly ModelDefinition[]): Promise<OwnConfig> {
  // A file of a teacher's outputs is no model that anybody saves.
  const definitions = given.filter(({ record }) => !record);
  const text = new TextDecoder().decode(await readUserFile(file, "the model's description"));
  // JSON is YAML, and so its mistakes are shown with line and column, too.
  const config = parseChecked(text, file, configSchema);
  const name = config.oneOf(["architecture"], "model", definitions.map(({ name }) => name));
  const definition = definitions.find((definition) => definition.name === name)!;
  const input = inputOf(config);
  const sentences = await readSentenceModules(dirname(file));
  const options = optionsOf(config, definition, sentences);
  const build = (data: InputDescription): Model => {
    const model = definition.build(options, data);
    const { [FACTORS]: factors } = config.value;
    if (!factors) return model;
    return config.within([FACTORS], () => factoredModel(model, new Map(Object.entries(factors.ranks))));
  };
  return { config, definition, input, build };
}

/** The options that the model was built with: by its family's reading of the config, or as they stand there. */
function optionsOf(config: Config, definition: ModelDefinition, sentences: ForeignConfig): unknown {
  const stated = { ...config.value, ...config.value[FACTORS]?.hidden, ...sentences };
  return config.within(["architecture"], () => savedOptions(definition, stated)) ??
    config.check([], definition.options(optionKit), [
      ...Object.keys(configSchema.shape),
      ...(EXPORTED_FROM in config.value ? EXPORT_KEYS : []),
    ]);
}

function inputOf(config: Config): InputDescription {
  const { task, labels, input } = config.value;
  if (hasClasses(task) && labels.length === 0) {
    throw config.error(["labels"], `Cannot tell classes apart without names: expected those of the ${task}`);
  }
  if (!("normalise" in input)) {
    const { vocabulary, maxLength, padding } = input as { vocabulary: number; maxLength: number; padding: number };
    return { task, classes: labels, image: null, text: { vocabulary, maxLength, padding, files: {} } };
  }
  const { height, width, channels, normalise, orient } = input as {
    height: number;
    width: number;
    channels: number;
    normalise: { mean: number[]; std: number[] };
    orient?: boolean;
  };
  for (const key of ["mean", "std"] as const) {
    const { length } = normalise[key];
    if (length === channels) continue;
    throw config.error(
      ["input", "normalise", key],
      `Expected ${channels} numbers, one for each channel: got ${length}`,
    );
  }
  const image = { size: [height, width, channels] as const, normalise, ...(orient !== undefined && { orient }) };
  return { task, classes: labels, image, text: null };
}

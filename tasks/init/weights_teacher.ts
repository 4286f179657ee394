import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { CONFIG_FILE, readForeignConfig } from "../../core/model_folder/config_file.ts";
import { readClassNames, SEVERAL_LABELS } from "../../core/model_folder/class_names.ts";
import { readImageProcessor } from "../../core/model_folder/image_processor.ts";
import { readStoredShapes } from "../../core/model_folder/stored_tensors.ts";
import { timmForm } from "../../core/model_folder/timm_form.ts";
import type { ImageInput } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import type { ModelDefinition, TensorShapes } from "../../core/plugin/model.ts";
import type { ForeignConfig } from "../../core/plugin/saved_options.ts";
import { sizeOf } from "../../core/tensor.ts";
import { mobilenet } from "../../plugins/models/mobilenet/mobilenet.ts";
import { resnet } from "../../plugins/models/resnet/resnet.ts";
import type { Asking } from "./asking.ts";
import type { FoundTeacher, TeacherFlags } from "./teacher.ts";
import { normalisationOf, toldPixels } from "./told.ts";

/** Families whose options follow from the weights themselves, and the names that others have for them. */
const FAMILIES: readonly (readonly [name: RegExp, ModelDefinition])[] = [
  [/^resnet/i, resnet as ModelDefinition],
  [/^mobilenet/i, mobilenet as ModelDefinition],
];

/** The family of a config.json of Hugging Face or timm, if its options follow from the weights; else `null`. */
export function familyByWeights({ model_type: type, architecture }: ForeignConfig): ModelDefinition | null {
  const name = String(type ?? architecture);
  return FAMILIES.find(([names, { name: own }]) => names.test(name) && architecture !== own)?.[1] ?? null;
}

/**
 * Looks at a folder of Hugging Face's, timm's or torchvision's convolutional networks by its weights.
 *
 * @throws UserError for weights of another model, or what the folder does not say and nobody is there to be asked
 */
export async function lookAtWeights(
  folder: string,
  definition: ModelDefinition,
  flags: TeacherFlags,
  asking: Asking,
): Promise<FoundTeacher> {
  const file = join(folder, CONFIG_FILE);
  const config = await readForeignConfig(file);
  const shapes = await readStoredShapes(folder);
  const options = optionsBy(folder, definition, config, shapes);
  const several = config.problem_type === SEVERAL_LABELS;
  const classes = await readClassNames(folder, several ? "multi-label" : "classification") ?? [];
  // Depthwise filters have one channel each.
  const channels = [...shapes.values()].some((shape) => shape.length === 4 && shape[1] === 3) ? 3 : 1;
  const processor = await readImageProcessor(folder);
  const numbers = [...shapes].reduce(
    (sum, [name, shape]) => /running_|num_batches/.test(name) ? sum : sum + sizeOf(shape),
    0,
  );
  const shared = {
    path: folder,
    use: definition.name,
    settings: [],
    what: `${definition.name}, ${numbers.toLocaleString("en-US")} parameters`,
    texts: null,
    task: several ? "multi-label" as const : "classification" as const,
    outputs: classes.length > 0 ? classes.length : null,
    described: null,
    options,
    classes,
    tokenizer: null,
    processor,
  };
  if (processor) {
    return { ...shared, images: { size: [null, null, channels], normalise: null, isSaid: true } };
  }
  // Of a square of some size, as the middle is cut out of any.
  const form = timmForm(config, file, squareOf(channels));
  const normalise = form?.normalise ?? normalisationOf(toldPixels(folder, flags, asking), channels);
  const [height, width] = form?.resize?.crop ?? [null, null];
  return { ...shared, images: { size: [height, width, channels], normalise, isSaid: true } };
}

function optionsBy(folder: string, definition: ModelDefinition, config: ForeignConfig, shapes: TensorShapes) {
  try {
    const open = definition.options(optionKit).parse({});
    return definition.fromWeights!({ shapes, config }, open) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`--teacher ${folder}: ${error.message}`, { cause: error });
  }
}

function squareOf(channels: number): ImageInput {
  return {
    size: [256, 256, channels],
    normalise: { mean: Array(channels).fill(0), std: Array(channels).fill(1) },
  };
}

import { dirname, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import { CONFIG_FILE, readConfigIfThere } from "../../core/model_folder/config_file.ts";
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
  [/^(?:tv_)?resnet/i, resnet as ModelDefinition],
  [/^mobilenet/i, mobilenet as ModelDefinition],
];

/** The family of a config.json of Hugging Face or timm, if its options follow from the weights; else `null`. */
export function familyByWeights({ model_type: type, architecture }: ForeignConfig): ModelDefinition | null {
  const name = String(type ?? architecture);
  return FAMILIES.find(([names, { name: own }]) => names.test(name) && architecture !== own)?.[1] ?? null;
}

/**
 * The family of weights that no config.json describes, if they show all of its options; else `null`.
 *
 * @param path a folder of them, or a file
 * @throws UserError for weights that cannot be read
 */
export async function familyOfWeights(path: string): Promise<ModelDefinition | null> {
  const shapes = await readStoredShapes(path);
  const isOf = ([, definition]: typeof FAMILIES[number]) => {
    try {
      return !!optionsBy(path, definition, {}, shapes);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return false;
    }
  };
  return FAMILIES.find(isOf)?.[1] ?? null;
}

/**
 * Looks at Hugging Face's, timm's or torchvision's convolutional networks by their weights.
 *
 * @param path a folder of them, which may have a config.json, or a file
 * @throws UserError for weights of another model, or what the folder does not say and nobody is there to be asked
 */
export async function lookAtWeights(
  path: string,
  definition: ModelDefinition,
  flags: TeacherFlags,
  asking: Asking,
): Promise<FoundTeacher> {
  const folder = await kindOfPath(path) === "folder" ? path : dirname(path);
  const file = join(folder, CONFIG_FILE);
  const said = await readConfigIfThere(file);
  const config = said ?? {};
  const shapes = await readStoredShapes(path);
  const options = optionsBy(path, definition, config, shapes);
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
    path,
    use: definition.name,
    settings: [],
    what: `${definition.name}, ${numbers.toLocaleString("en-US")} parameters`,
    texts: null,
    task: !said ? null : several ? "multi-label" as const : "classification" as const,
    outputs: classes.length > 0 ? classes.length : rowsOfHead(shapes),
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
  const normalise = form?.normalise ?? normalisationOf(toldPixels(path, flags, asking), channels);
  const [height, width] = form?.resize?.crop ?? [null, null];
  return { ...shared, images: { size: [height, width, channels], normalise, isSaid: true } };
}

/** The numbers that a network gives: the rows of its last linear layer, whose name is the last of such. */
function rowsOfHead(shapes: TensorShapes): number | null {
  const linear = [...shapes].filter(([, shape]) => shape.length === 2).map(([name]) => name).sort();
  return linear.length === 0 ? null : shapes.get(linear.at(-1)!)![0];
}

function optionsBy(path: string, definition: ModelDefinition, config: ForeignConfig, shapes: TensorShapes) {
  try {
    const open = definition.options(optionKit).parse({});
    return definition.fromWeights!({ shapes, config }, open) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`--teacher ${path}: ${error.message}`, { cause: error });
  }
}

function squareOf(channels: number): ImageInput {
  return {
    size: [256, 256, channels],
    normalise: { mean: Array(channels).fill(0), std: Array(channels).fill(1) },
  };
}

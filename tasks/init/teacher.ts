import { basename, dirname, join, normalize } from "node:path";
import type { Normalisation } from "../../core/data/image_augment.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import { CONFIG_FILE, readForeignConfig } from "../../core/model_folder/config_file.ts";
import { readClassNames } from "../../core/model_folder/class_names.ts";
import { type ImageProcessor, readImageProcessor } from "../../core/model_folder/image_processor.ts";
import { type DescribedModel, readDescribedModel } from "../../core/model_folder/read_architecture.ts";
import { hasTokenizer } from "../../core/model_folder/tokenizer_files.ts";
import { MODELS } from "../../core/model_folder/describing_folder.ts";
import { findOnnx } from "../../core/onnx/places.ts";
import type { Task } from "../../core/plugin/dataset.ts";
import { countTrainable } from "../../core/plugin/parameters.ts";
import { savedOptions } from "../../core/plugin/saved_options.ts";
import { builtins } from "../../plugins/builtins.ts";
import type { TableRow } from "../../plugins/datasets/text/columns.ts";
import type { Asking } from "./asking.ts";
import type { Entry } from "./entries.ts";
import { lookAtOnnx } from "./onnx_teacher.ts";
import { lookAtOutputs, OUTPUT_FILES } from "./outputs_teacher.ts";
import { lookAtTfjs } from "./tfjs_teacher.ts";
import { familyByWeights, familyOfWeights, lookAtWeights } from "./weights_teacher.ts";

/** What of the flags is about a teacher that does not describe itself. */
export interface TeacherFlags {
  readonly teacherOutput?: string;
  readonly teacherAnswers?: string;
  readonly teacherPixels?: string;
}

/** Images that a teacher takes. */
export interface TeacherImages {
  /** `null` for an extent that may be any. */
  readonly size: readonly [height: number | null, width: number | null, channels: number | null];
  /** How its pixels were normalised; `null` where its processor says it. */
  readonly normalise: Normalisation | null;
  /** Whether that is said of it, and not only usual. */
  readonly isSaid: boolean;
}

/** The records of a file of outputs. */
export interface Records {
  /** None of a file of tensors. */
  readonly rows: readonly TableRow[];
  /** The columns that tell them apart. */
  readonly ids: readonly string[];
  /** The columns of pictures' paths. */
  readonly paths: readonly string[];
  /**
   * Of a file with a column for each class: the same teacher by the columns of the data's classes alone.
   *
   * @param id the column by which records are joined to examples, if there is one
   * @throws UserError for a column of numbers that is none of both
   */
  readonly ofClasses?: (classes: readonly string[], id: string | null) => FoundTeacher;
}

/** A teacher as its files describe it. */
export interface FoundTeacher {
  /** Its folder or file. */
  readonly path: string;
  /** The model plug-in. */
  readonly use: string;
  /** What the recipe says of it beside its name, file and classes. */
  readonly settings: readonly Entry[];
  /** For people: `resnet, 68,642 parameters`. */
  readonly what: string;
  /** What it takes; neither images nor texts for a file of outputs. */
  readonly images: TeacherImages | null;
  /** Its most tokens, `null` for any. */
  readonly texts: { readonly maxLength: number | null } | null;
  /** What it answers; `null` where nothing says it. */
  readonly task: Task | null;
  /** How many numbers it answers; `null` where nothing says it. */
  readonly outputs: number | null;
  /** Its architecture, of a model folder. */
  readonly described: DescribedModel | null;
  /** The options that it is built with, of a model folder. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Its classes in the order of its logits; none where it does not say them. */
  readonly classes: readonly string[];
  /** The folder of its own tokenizer. */
  readonly tokenizer: string | null;
  readonly processor: ImageProcessor | null;
  readonly records?: Records;
}

/**
 * Looks at a teacher: a model folder of this program's or Hugging Face's, bare weights of a convolutional network, an
 * ONNX file, a folder of TensorFlow.js, or a file of outputs.
 *
 * @throws UserError if it is none, or one that cannot teach
 */
export async function lookAtTeacher(path: string, flags: TeacherFlags, asking: Asking): Promise<FoundTeacher> {
  const kind = await kindOfPath(path);
  const refuse = (reason: string) => new UserError(`--teacher ${path}: ${reason}`);
  if (kind === null) throw refuse("Cannot find a file or a folder of that name");
  if (kind === "file") {
    if (/\.onnx$/i.test(path)) return await lookAtOnnx(await folderOfOnnx(path) ?? path, flags, asking);
    if (await isModelFile(path)) return await lookAtTeacher(dirname(path), flags, asking);
    if (basename(path) === "model.json") return await lookAtTfjs(path, flags, asking);
    const family = /\.safetensors(?:\.index\.json)?$/i.test(path) ? await familyOfWeights(path) : null;
    if (family) return await lookAtWeights(path, family, flags, asking);
    if (OUTPUT_FILES.test(path)) return await lookAtOutputs(path, flags, asking);
    throw refuse(
      "Expected a model folder, with config.json and model.safetensors, an ONNX file, a TensorFlow.js folder, or a file " +
        "of outputs (JSONL, CSV, TSV, safetensors)",
    );
  }
  const there = async (...names: string[]) => await kindOfPath(join(path, ...names)) === "file";
  const hasWeights = await there("model.safetensors") || await there("model.safetensors.index.json");
  // Hugging Face's folders of ONNX have a config.json, too, and no weights that are read here.
  if (!hasWeights && await findOnnx(path) !== null) return await lookAtOnnx(path, flags, asking);
  if (!await there(CONFIG_FILE)) {
    if (await there("student", CONFIG_FILE)) return await lookAtFolder(join(path, "student"), flags, asking);
    if (await there("model.json")) return await lookAtTfjs(path, flags, asking);
    const family = hasWeights ? await familyOfWeights(path) : null;
    if (family) return await lookAtWeights(path, family, flags, asking);
    const alone = hasWeights ? ", and its weights alone do not say which ResNet or MobileNet they are of, if any" : "";
    throw refuse(`Expected a model folder: there is no ${CONFIG_FILE} in it${alone}`);
  }
  return await lookAtFolder(path, flags, asking);
}

/** Whether a file is that of the weights in a model folder. */
async function isModelFile(path: string): Promise<boolean> {
  return /^model\.safetensors(?:\.index\.json)?$/.test(basename(path)) &&
    await kindOfPath(join(dirname(path), CONFIG_FILE)) === "file";
}

/** The folder about an ONNX file that is its model in Hugging Face's layout and says what it does not; or `null`. */
async function folderOfOnnx(path: string): Promise<string | null> {
  const folder = join(dirname(path), "..");
  const isItsModel = basename(dirname(path)) === MODELS && await findOnnx(folder) === normalize(path);
  return isItsModel && await kindOfPath(join(folder, CONFIG_FILE)) === "file" ? folder : null;
}

async function lookAtFolder(folder: string, flags: TeacherFlags, asking: Asking): Promise<FoundTeacher> {
  const family = familyByWeights(await readForeignConfig(join(folder, CONFIG_FILE)));
  if (family) return await lookAtWeights(folder, family, flags, asking);
  const described = await readDescribedModel(folder, builtins.model);
  const { architecture, input, model, saysNormalisation } = described;
  const config = await readForeignConfig(described.file);
  const definition = builtins.model.find(({ name }) => name === architecture)!;
  return {
    path: folder,
    use: architecture,
    settings: [],
    what: `${architecture}, ${countTrainable(model.parameters).toLocaleString("en-US")} parameters`,
    images: input.image && {
      size: input.image.size,
      normalise: input.image.normalise,
      isSaid: saysNormalisation,
    },
    texts: input.text && { maxLength: input.text.maxLength },
    task: input.task,
    outputs: input.classes.length,
    described,
    options: (savedOptions(definition, config) ?? config) as Record<string, unknown>,
    classes: await readClassNames(folder, input.task) ?? [],
    tokenizer: await hasTokenizer(folder) ? folder : null,
    processor: await readImageProcessor(folder),
  };
}

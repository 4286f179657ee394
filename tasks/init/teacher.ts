import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import { CONFIG_FILE, readForeignConfig } from "../../core/model_folder/config_file.ts";
import { readClassNames } from "../../core/model_folder/class_names.ts";
import { type ImageProcessor, readImageProcessor } from "../../core/model_folder/image_processor.ts";
import { type DescribedModel, readDescribedModel } from "../../core/model_folder/read_architecture.ts";
import { hasTokenizer } from "../../core/model_folder/tokenizer_files.ts";
import { savedOptions } from "../../core/plugin/saved_options.ts";
import { builtins } from "../../plugins/builtins.ts";

/** A teacher as its folder describes it. */
export interface FoundTeacher {
  readonly folder: string;
  /** The model plug-in. */
  readonly use: string;
  readonly described: DescribedModel;
  /** The options that it is built with. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Its classes in the order of its logits; none where it does not say them. */
  readonly classes: readonly string[];
  readonly tokenizer: boolean;
  readonly processor: ImageProcessor | null;
}

/**
 * Looks at a teacher: a model folder of this program's or Hugging Face's.
 *
 * @throws UserError if it is none, or one that cannot teach
 */
export async function lookAtTeacher(folder: string): Promise<FoundTeacher> {
  const kind = await kindOfPath(folder);
  const refuse = (reason: string) => new UserError(`--teacher ${folder}: ${reason}`);
  if (kind === null) throw refuse("Cannot find a folder of that name");
  const inStudent = join(folder, "student");
  if (kind === "file") {
    const use = /\.onnx$/i.test(folder)
      ? "use: onnx, weights"
      : /\.(?:jsonl|csv)$/i.test(folder)
      ? "use: outputs, file"
      : null;
    const byHand = use && `; make the recipe with --no-teacher, and put teacher: { ${use}: ${folder} } into it`;
    throw refuse(
      `Expected a model folder, with config.json and model.safetensors, as this is looked into${byHand ?? ""}`,
    );
  }
  if (await kindOfPath(join(folder, CONFIG_FILE)) === null) {
    if (await kindOfPath(join(inStudent, CONFIG_FILE)) === "file") return await lookAtTeacher(inStudent);
    if (await kindOfPath(join(folder, "model.json")) === "file") {
      throw refuse(
        "Cannot look into a TensorFlow.js model: make the recipe with --no-teacher, and put " +
          `teacher: { use: tfjs, weights: ${folder} } into it`,
      );
    }
    throw refuse(`Expected a model folder: there is no ${CONFIG_FILE} in it`);
  }
  const described = await readDescribedModel(folder, builtins.model);
  const config = await readForeignConfig(described.file);
  const definition = builtins.model.find(({ name }) => name === described.architecture)!;
  return {
    folder,
    use: described.architecture,
    described,
    options: (savedOptions(definition, config) ?? config) as Record<string, unknown>,
    classes: await readClassNames(folder) ?? [],
    tokenizer: await hasTokenizer(folder),
    processor: await readImageProcessor(folder),
  };
}

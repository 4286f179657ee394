import type { ImageForm } from "../data/image_form.ts";
import { UserError } from "../errors.ts";
import { lookAt } from "../files.ts";
import { dirname, join } from "../paths.ts";
import type { ImageInput } from "../plugin/dataset.ts";
import { CONFIG_FILE, readConfigIfThere } from "./config_file.ts";
import { describingFolder } from "./describing_folder.ts";
import { readImageProcessor } from "./image_processor.ts";
import { timmForm } from "./timm_form.ts";
import { hasTokenizer } from "./tokenizer_files.ts";

/** In what form the model of a folder takes images, and the file that says it. */
export interface StatedForm {
  readonly form: ImageForm;
  readonly file: string;
}

/**
 * In what form a saved model takes the images of a data set: as the config.json beside its weights, or above an
 * export's, says it, where this program wrote it (images of another size are resized and cropped as by the
 * `preprocessor_config.json` there), else as its `preprocessor_config.json` does, else as timm's `pretrained_cfg` in
 * the config.json.
 *
 * @param path the model's folder, or a file in it
 * @param given the images of the data set
 * @returns `null` where neither says it
 * @throws UserError for images of as many channels as the model does not take
 */
export async function readImageForm(path: string, given: ImageInput): Promise<StatedForm | null> {
  const folder = await describingFolder(path);
  const [height, width, channels] = given.size;
  const file = join(folder, CONFIG_FILE);
  const config = await readConfigIfThere(file);
  const own = config?.input as Partial<ImageInput["normalise"] & Record<"height" | "width", number>> | undefined;
  const { normalise } = (own ?? {}) as { normalise?: ImageInput["normalise"] };
  if (own && normalise && own.height && own.width) {
    if (normalise.mean.length !== channels) {
      throw new UserError(
        `Cannot give images of ${channels} channels to the model of "${file}": it takes ${normalise.mean.length}`,
      );
    }
    const to = [own.height, own.width] as const;
    const whole = { to, resampling: "bilinear", crop: to } as const;
    if (to[0] === height && to[1] === width) return { file, form: { resize: whole, normalise } };
    // Pictures of another size become what the model's data set made of its own.
    const made = (await readImageProcessor(folder))?.resize(height, width);
    return { file, form: { resize: made?.crop.join() === to.join() ? made : whole, normalise } };
  }
  const processor = config || await isOnnx(path, folder) ? await readImageProcessor(folder) : null;
  if (!processor) {
    const form = config && timmForm(config, file, given);
    return form && { file, form };
  }
  return {
    file: processor.file,
    form: { resize: processor.resize(height, width), normalise: processor.normalise(channels) },
  };
}

/**
 * The folder of a saved model, as it was named, if its tokenizer is there, too.
 *
 * @param name the model's folder, or a file in it
 * @param resolve gives the path of a name
 */
export async function tokenizerFolder(name: string, resolve: (name: string) => string): Promise<string | null> {
  const path = resolve(name);
  const folder = await describingFolder(path);
  const isModel = await lookAt(join(folder, CONFIG_FILE)) !== null || await isOnnx(path, folder);
  if (!isModel || !await hasTokenizer(folder)) return null;
  if (folder === path) return name;
  return folder === dirname(path) ? dirname(name) : join(dirname(name), "..");
}

/** Whether a model is one of ONNX, which needs no config.json beside it. */
async function isOnnx(path: string, folder: string): Promise<boolean> {
  return path.endsWith(".onnx") || await lookAt(join(folder, "model.onnx")) !== null;
}

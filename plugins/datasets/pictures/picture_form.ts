import type { ImageResize } from "../../../core/data/image_form.ts";
import type { Normalisation } from "../../../core/data/image_augment.ts";
import { type CropRounding, RESAMPLING } from "../../../core/data/resize.ts";
import { UserError } from "../../../core/errors.ts";
import { isJsonObject, parseJson } from "../../../core/json.ts";
import { CROP_ROUNDING, imageProcessorOf, PROCESSOR_FILE } from "../../../core/model_folder/image_processor.ts";
import { join } from "../../../core/paths.ts";
import type { DatasetSetup } from "../../../core/plugin/dataset.ts";
import type { PictureColours } from "./colours.ts";
import type { PictureOptions } from "./picture_options.ts";

/** What becomes of the pictures of a data set. */
export interface PictureForm {
  readonly colours: PictureColours;
  /** What becomes of a picture of a size; `null`: all are of one size, and stay so. */
  readonly resize: ((height: number, width: number) => ImageResize) | null;
  /** `null`: measured. */
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
  /** What of `preprocessor_config.json` says the same. */
  readonly processor: Readonly<Record<string, unknown>>;
  /** All that pixels follow from beside the files. */
  readonly described: string;
}

/** What the data set's mean and deviation say, in its own way. */
const NORMALISING = ["do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std"];

/** Of `fit: crop`, as torchvision's CenterCrop. */
const ROUNDING: CropRounding = "half-even";

/** The form that a recipe asks for. @throws UserError for a `preprocessor_config.json` that is not understood */
export async function pictureForm(options: PictureOptions, { readFile }: DatasetSetup): Promise<PictureForm> {
  const { channels, background, orient, size, fit, shortest, resample, processor, mean, std } = options;
  const colours = { channels, background, orient };
  if (processor !== null) {
    const file = /\.json$/i.test(processor) ? processor : join(processor, PROCESSOR_FILE);
    const text = new TextDecoder().decode(await readFile(file, "the image processor"));
    const config = parseJson(text, (reason) => new UserError(`Cannot read "${file}" as ${reason}`));
    if (!isJsonObject(config)) {
      throw new UserError(`Cannot read "${file}" as an image processor: expected a JSON object`);
    }
    const read = imageProcessorOf(config, file);
    const stated: Normalisation = read.normalise(channels);
    return {
      colours,
      resize: (height, width) => read.resize(height, width),
      mean: mean ?? stated.mean,
      std: std ?? stated.std,
      processor: Object.fromEntries(Object.entries(config).filter(([key]) => !NORMALISING.includes(key))),
      described: JSON.stringify([colours, config]),
    };
  }
  const whole = typeof size === "number" ? [size, size] as const : size;
  const least = fit === "crop" && whole ? shortest ?? Math.max(...whole) : null;
  return {
    colours,
    resize: whole && ((height, width) => ({
      to: least === null ? whole : withShorterSide(height, width, least),
      resampling: resample,
      crop: whole,
      ...(least !== null && { rounding: ROUNDING }),
    })),
    mean,
    std,
    processor: {
      resample: RESAMPLING.indexOf(resample),
      ...(least !== null && whole && {
        image_processor_type: "CLIPImageProcessor",
        size: { shortest_edge: least },
        do_center_crop: true,
        crop_size: { height: whole[0], width: whole[1] },
        [CROP_ROUNDING]: ROUNDING,
        do_convert_rgb: channels === 3,
      }),
    },
    described: JSON.stringify([
      colours,
      whole && { whole, least, resample, ...(least !== null && { rounding: ROUNDING }) },
    ]),
  };
}

/** The size of a picture whose shorter side becomes so long, as torchvision and Hugging Face have it. */
function withShorterSide(height: number, width: number, length: number): readonly [number, number] {
  const other = Math.trunc(length * Math.max(height, width) / Math.min(height, width));
  return height <= width ? [length, other] : [other, length];
}

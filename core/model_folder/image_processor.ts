import type { ImageResize } from "../data/image_form.ts";
import { RESAMPLING } from "../data/resize.ts";
import { UserError } from "../errors.ts";
import { join } from "../paths.ts";
import type { ImageInput } from "../plugin/dataset.ts";
import { showJson } from "../json.ts";
import type { ForeignConfig } from "../plugin/saved_options.ts";
import { readConfigIfThere } from "./config_file.ts";

const FILE = "preprocessor_config.json";

/** Numbers of channels that transformers finds among an array's sides by itself. */
const CHANNELS = [1, 3];

/** Pillow's bilinear interpolation, for pictures of another size. */
const BILINEAR = RESAMPLING.indexOf("bilinear");

/** Sides beyond this are no pictures'. */
const MOST = 8192;

/**
 * The file of Hugging Face's image processor, which makes of pictures what the data set makes of its images; those of
 * another size are resized first. Where a model takes one channel, the processor takes grey pictures or arrays, but a
 * pipeline arrays alone, as it turns every picture into three channels. Of other numbers of channels there is no file.
 */
export function imageProcessorFiles(
  { size: [height, width, channels], normalise: { mean, std } }: ImageInput,
): Readonly<Record<string, Uint8Array>> {
  if (!CHANNELS.includes(channels)) return {};
  const config = {
    image_processor_type: "ViTImageProcessor",
    do_resize: true,
    size: { height, width },
    resample: BILINEAR,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
  return { [FILE]: new TextEncoder().encode(JSON.stringify(config, null, 2) + "\n") };
}

/** What a folder's `preprocessor_config.json` makes of pictures. */
export interface ImageProcessor {
  /** The file. */
  readonly file: string;
  /** Mean and deviation of pixels from 0 to 1. @throws UserError unless it says them for as many channels */
  normalise(channels: number): ImageInput["normalise"];
  /** What becomes of pictures of a size. @throws UserError for what is not understood */
  resize(height: number, width: number): ImageResize;
}

/**
 * Reads how the image processor in a folder makes numbers of pixels; `null` without one.
 *
 * @throws UserError for a file that is no JSON object
 */
export async function readImageProcessor(folder: string): Promise<ImageProcessor | null> {
  const file = join(folder, FILE);
  const config = await readConfigIfThere(file);
  if (!config) return null;
  return {
    file,
    normalise: (channels) => normalisation(config, file, channels),
    resize: (height, width) => resizing(config, file, height, width),
  };
}

function normalisation(config: ForeignConfig, file: string, channels: number): ImageInput["normalise"] {
  const refuse = (key: string, expected: string) =>
    new UserError(
      `Cannot normalise images by "${file}": expected ${expected} for ${key}, got ${showJson(config[key])}`,
    );
  const flag = (key: string): boolean => {
    const value = config[key] ?? true;
    if (typeof value === "boolean") return value;
    throw refuse(key, "true or false");
  };
  const scale = config.rescale_factor ?? 1 / 255;
  if (typeof scale !== "number" || !(scale > 0)) throw refuse("rescale_factor", "a number above 0");
  // What a white pixel is before it is normalised.
  const white = 255 * (flag("do_rescale") ? scale : 1);
  const isNormalised = flag("do_normalize");
  const perChannel = (key: string, otherwise: number, isRight: (number: number) => boolean): number[] => {
    const numbers = isNormalised ? [config[key]].flat() : [otherwise];
    const all = (numbers.length === 1 ? Array(channels).fill(numbers[0]) : numbers).map((number) => number / white);
    const areNumbers = numbers.every((number) => typeof number === "number" && isRight(number));
    if (areNumbers && all.length === channels && all.every(Number.isFinite)) return all;
    throw new UserError(
      `Cannot normalise images by "${file}": expected image_mean and image_std of ${channels} ` +
        `number${channels === 1 ? "" : "s"}, deviations above 0`,
    );
  };
  return {
    mean: perChannel("image_mean", 0, Number.isFinite),
    std: perChannel("image_std", 1, (deviation) => deviation > 0),
  };
}

/** transformers' ConvNeXT processor shrinks a picture to more than it keeps, by this part where the file has none. */
const CROPPED_PART = 224 / 256;

/** Its pictures of so many pixels and more are not cropped. */
const CONVNEXT_WHOLE = 384;

function resizing(config: ForeignConfig, file: string, height: number, width: number): ImageResize {
  const { image_processor_type, feature_extractor_type, do_resize = true, do_center_crop = false } = config;
  const { size, resample = BILINEAR, crop_size = size, crop_pct, do_pad } = config;
  const refuse = (key: string, expected: string) =>
    new UserError(`Cannot resize images by "${file}": ${key} is ${JSON.stringify(config[key])}, expected ${expected}`);
  if (do_pad) throw refuse("do_pad", "false");
  const resampling = RESAMPLING[Number(resample)];
  if (!resampling) throw refuse("resample", "a number from 0 to 5");
  const side = (value: unknown) => typeof value === "number" && Number.isInteger(value) && value > 0 && value <= MOST;
  const fixed = (entry: unknown): [number, number] | null => {
    if (side(entry)) return [entry as number, entry as number];
    const { height, width } = (entry ?? {}) as Record<string, unknown>;
    return side(height) && side(width) ? [height as number, width as number] : null;
  };
  const shortest = (length: number): [number, number] =>
    height <= width ? [length, Math.trunc(length * width / height)] : [Math.trunc(length * height / width), length];
  const edge = (size as { shortest_edge?: unknown } | undefined)?.shortest_edge ?? null;
  if (edge !== null && !side(edge)) throw refuse("size", `a shortest_edge from 1 to ${MOST}`);
  const own = do_resize && edge === null ? fixed(size) : null;
  if (do_resize && edge === null && !own) throw refuse("size", `whole numbers from 1 to ${MOST}`);
  if (/^ConvNext/i.test(String(image_processor_type ?? feature_extractor_type)) && do_resize) {
    const length = (edge ?? own![0]) as number;
    if (length >= CONVNEXT_WHOLE) return { to: [length, length], resampling, crop: [length, length] };
    return { to: shortest(Math.trunc(length / Number(crop_pct ?? CROPPED_PART))), resampling, crop: [length, length] };
  }
  const to: [number, number] = !do_resize ? [height, width] : own ?? shortest(edge as number);
  if (!do_center_crop) return { to, resampling, crop: to };
  const crop = fixed(crop_size);
  if (!crop) throw refuse(crop_size === size ? "size" : "crop_size", `whole numbers from 1 to ${MOST}`);
  return { to, resampling, crop };
}

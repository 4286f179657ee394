import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { ImageInput } from "../plugin/dataset.ts";
import { showJson } from "../json.ts";
import { readConfigIfThere } from "./config_file.ts";

const FILE = "preprocessor_config.json";

/** Numbers of channels that transformers finds among an array's sides by itself. */
const CHANNELS = [1, 3];

/** Pillow's bilinear interpolation, for pictures of another size. */
const BILINEAR = 2;

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

/**
 * How the image processor in a folder makes numbers of pixels; `null` without one.
 *
 * @throws UserError if it does not say mean and deviation of as many channels
 */
export async function readImageProcessor(folder: string, channels: number): Promise<ImageInput["normalise"] | null> {
  const file = join(folder, FILE);
  const config = await readConfigIfThere(file);
  if (!config) return null;
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

import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { ImageInput } from "../plugin/dataset.ts";
import { readForeignConfig } from "./config_file.ts";

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
  if (!await Deno.stat(file).then(() => true, () => false)) return null;
  const config = await readForeignConfig(file);
  const { do_rescale = true, rescale_factor = 1 / 255, do_normalize = true, image_mean, image_std } = config;
  // What a white pixel is before it is normalised.
  const white = 255 * (do_rescale ? Number(rescale_factor) : 1);
  const perChannel = (entry: unknown, otherwise: number): number[] => {
    const numbers = do_normalize ? [entry].flat() : [otherwise];
    const all = numbers.length === 1 ? Array(channels).fill(numbers[0]) : numbers;
    if (all.length === channels && all.every(Number.isFinite)) return all.map((number) => number / white);
    throw new UserError(
      `Cannot normalise images by "${file}": expected image_mean and image_std of ${channels} ` +
        `number${channels === 1 ? "" : "s"}`,
    );
  };
  return { mean: perChannel(image_mean, 0), std: perChannel(image_std, 1) };
}

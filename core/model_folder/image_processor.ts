import type { ImageResize } from "../data/image_form.ts";
import { CROP_ROUNDINGS, RESAMPLING } from "../data/resize.ts";
import { UserError } from "../errors.ts";
import { join } from "../paths.ts";
import type { ImageInput } from "../plugin/dataset.ts";
import { showJson } from "../json.ts";
import type { ForeignConfig } from "../plugin/saved_options.ts";
import { listWords } from "../recipe/words.ts";
import { readConfigIfThere } from "./config_file.ts";

/** The file of an image processor, by Hugging Face. */
export const PROCESSOR_FILE = "preprocessor_config.json";

/** Our own key, which transformers passes over: where the middle begins that is cut out, of {@link CROP_ROUNDINGS}. */
export const CROP_ROUNDING = "crop_rounding";

/** Numbers of channels that transformers finds among an array's sides by itself. */
const CHANNELS = [1, 3];

/** Pillow's numbers of interpolations, for pictures of another size. */
const [BILINEAR, BICUBIC] = [RESAMPLING.indexOf("bilinear"), RESAMPLING.indexOf("bicubic")];

/** Sides beyond this are no pictures'. */
const MOST = 8192;

/**
 * The file of Hugging Face's image processor, which makes of pictures what the data set makes of its images; those of
 * another size are resized first. Where a model takes one channel, the processor takes grey pictures or arrays, but a
 * pipeline arrays alone, as it turns every picture into three channels. Of other numbers of channels there is no file.
 */
export function imageProcessorFiles(
  { size: [height, width, channels], normalise: { mean, std }, processor }: ImageInput,
): Readonly<Record<string, Uint8Array>> {
  if (!CHANNELS.includes(channels)) return {};
  const config = {
    image_processor_type: "ViTImageProcessor",
    do_resize: true,
    size: { height, width },
    resample: BILINEAR,
    ...processor,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
  return { [PROCESSOR_FILE]: new TextEncoder().encode(JSON.stringify(config, null, 2) + "\n") };
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
  const file = join(folder, PROCESSOR_FILE);
  const config = await readConfigIfThere(file);
  return config && imageProcessorOf(config, file);
}

/** The same of what stands in such a file. @param file its path, for messages */
export function imageProcessorOf(config: ForeignConfig, file: string): ImageProcessor {
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
  const flag = (key: string) => flagOf(config, key, true, refuse);
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
    const above = key === "image_std" ? " above 0" : "";
    throw refuse(key, `${channels} number${channels === 1 ? "" : "s"}${above}`);
  };
  return {
    mean: perChannel("image_mean", 0, Number.isFinite),
    std: perChannel("image_std", 1, (deviation) => deviation > 0),
  };
}

/** transformers' ConvNeXT processor shrinks a picture to more than it keeps, by this part where the file has none. */
const CROPPED_PART = 224 / 256;

/** What a processor does where its file leaves a key out; `null` where versions of transformers differ. */
interface Defaults {
  readonly resample: number | null;
  readonly crop: boolean | null;
}

/** Processors that resize, cut out the middle and normalise, and nothing else; others have rules of their own. */
const DEFAULTS: Readonly<Record<string, Defaults>> = {
  ViT: { resample: BILINEAR, crop: false },
  DeiT: { resample: BICUBIC, crop: true },
  CLIP: { resample: BICUBIC, crop: true },
  Siglip: { resample: BICUBIC, crop: false },
  Bit: { resample: BICUBIC, crop: true },
  Beit: { resample: BICUBIC, crop: null },
  ConvNext: { resample: null, crop: false },
  MobileNetV1: { resample: BILINEAR, crop: true },
  MobileNetV2: { resample: BILINEAR, crop: true },
};

const KINDS = Object.keys(DEFAULTS);

/** What those that crop keep where the file does not say it. */
const CROP_SIZE = 224;

/** Those of them to which a size that is one number is the shorter side; to the others it is both. */
const BY_SHORTER_SIDE = ["CLIP", "Bit", "MobileNetV1", "MobileNetV2"];

/** Its pictures of so many pixels and more are not cropped. */
const CONVNEXT_WHOLE = 384;

function resizing(config: ForeignConfig, file: string, height: number, width: number): ImageResize {
  const refuse = (key: string, expected: string) =>
    new UserError(`Cannot resize images by "${file}": expected ${expected} for ${key}, got ${showJson(config[key])}`);
  const flag = (key: string, otherwise: boolean) => flagOf(config, key, otherwise, refuse);
  const sides = (key: string, otherwise?: number): [number, number] => {
    const given = config[key] ?? otherwise;
    const { height, width } = isSide(given)
      ? { height: given, width: given }
      : (given ?? {}) as Record<string, unknown>;
    if (isSide(height) && isSide(width)) return [height, width];
    const other = key === "size" ? ", or a shortest_edge," : "";
    throw refuse(key, `height and width${other} of whole numbers from 1 to ${MOST}`);
  };
  const named = config.image_processor_type ?? config.feature_extractor_type ?? "ViTImageProcessor";
  const kind = KINDS.find((kind) =>
    new RegExp(`^${kind}(ImageProcessor|FeatureExtractor)(Fast|Pil)?$`, "i").test(String(named))
  );
  if (!kind) throw refuse("image_processor_type", `one that is known here, of ${listWords(KINDS, "or")}`);
  if (flag("do_pad", false)) throw refuse("do_pad", "false");
  const defaults = DEFAULTS[kind];
  // What one version of transformers does another does not: nobody knows which one the file was written for.
  const stated = (value: string) => `${value}, as without it versions of transformers differ,`;
  const filter = config.resample ?? defaults.resample;
  const resampling = typeof filter === "number" ? RESAMPLING[filter] : undefined;
  if (!resampling) throw refuse("resample", filter === null ? stated("a whole number") : "a whole number from 0 to 5");
  if (defaults.crop === null && (config.do_center_crop ?? null) === null) {
    throw refuse("do_center_crop", stated("true or false"));
  }
  const isCropped = flag("do_center_crop", defaults.crop ?? false);
  const rounding = CROP_ROUNDINGS.find((known) => known === (config[CROP_ROUNDING] ?? "floor"));
  if (!rounding) throw refuse(CROP_ROUNDING, listWords(CROP_ROUNDINGS, "or"));
  const croppedOf = (to: [number, number]): ImageResize => ({
    ...{ to, resampling, crop: isCropped ? sides("crop_size", defaults.crop === false ? undefined : CROP_SIZE) : to },
    ...(isCropped && rounding !== "floor" && { rounding }),
  });
  if (!flag("do_resize", true)) return croppedOf([height, width]);
  const isShorter = isSide(config.size) && BY_SHORTER_SIDE.includes(kind);
  const size = isShorter ? { shortest_edge: config.size } : config.size ?? {};
  const { shortest_edge: edge, longest_edge: longest } = size as Record<string, unknown>;
  if (edge !== undefined && !isSide(edge)) throw refuse("size", `a shortest_edge from 1 to ${MOST}`);
  if (longest !== undefined) throw refuse("size", "no longest_edge");
  const own = isSide(edge) ? null : sides("size");
  const shortest = (length: number): [number, number] => {
    const [short, long] = [Math.min(height, width), Math.max(height, width)];
    const other = Math.trunc(length * long / short);
    if (!isSide(length) || !isSide(other)) throw refuse("size", `sides up to ${MOST} of ${height} x ${width} pixels`);
    return height <= width ? [length, other] : [other, length];
  };
  if (kind === "ConvNext") {
    const { crop_pct = CROPPED_PART } = config;
    const length = isSide(config.size) ? config.size : edge;
    if (!isSide(length)) throw refuse("size", "a shortest_edge");
    if (length >= CONVNEXT_WHOLE) return { to: [length, length], resampling, crop: [length, length] };
    if (!(typeof crop_pct === "number" && crop_pct > 0 && crop_pct <= 1)) {
      throw refuse("crop_pct", "a number above 0, at most 1");
    }
    return { to: shortest(Math.trunc(length / crop_pct)), resampling, crop: [length, length] };
  }
  return croppedOf(own ?? shortest(edge as number));
}

/** Whether a value is a side of a picture. */
function isSide(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST;
}

function flagOf(
  config: ForeignConfig,
  key: string,
  otherwise: boolean,
  refuse: (key: string, expected: string) => UserError,
): boolean {
  const value = config[key] ?? otherwise;
  if (typeof value === "boolean") return value;
  throw refuse(key, "true or false");
}

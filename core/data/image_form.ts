import type { Normalisation } from "./image_augment.ts";
import { cropCentre, type CropRounding, type Picture, type Resampling, resizePicture } from "./resize.ts";

/** Which pixels of a picture a model sees. */
export interface ImageResize {
  /** The height and width that the picture is brought to first. */
  readonly to: readonly [height: number, width: number];
  /** How a pixel is made of those around it. */
  readonly resampling: Resampling;
  /** The height and width of the middle part that is left of it. */
  readonly crop: readonly [height: number, width: number];
  /** Where that begins if it is between two pixels; left out: `floor`. */
  readonly rounding?: CropRounding;
}

/** In what form a model takes images. */
export interface ImageForm {
  /** `null`: as large as they are. */
  readonly resize: ImageResize | null;
  /** Mean and deviation of pixels from 0 to 1, for each channel. */
  readonly normalise: Normalisation;
}

/** A batch of images, `[batch, height, width, channels]`. */
interface ImageBatch {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Whether images of a size stay as large as they are, and whole. */
function keepsSize([height, width]: readonly number[], { resize }: ImageForm): boolean {
  return !resize || [resize.to, resize.crop].every(([toHeight, toWidth]) => toHeight === height && toWidth === width);
}

/** Whether two normalisations are one. */
export function isSameNormalisation(a: Normalisation, b: Normalisation): boolean {
  return a.mean.join() === b.mean.join() && a.std.join() === b.std.join();
}

/** Whether images of a size are in a form already. */
export function isInForm(size: readonly number[], normalise: Normalisation, form: ImageForm): boolean {
  return keepsSize(size, form) && isSameNormalisation(form.normalise, normalise);
}

/** A form for people: `32 x 32, normalised by mean 0.5 and deviation 0.25`. */
export function showForm([height, width]: readonly number[], { resize, normalise: { mean, std } }: ImageForm): string {
  const shown = (numbers: readonly number[]) => numbers.map((number) => Number(number.toPrecision(6))).join(", ");
  const size = (resize?.crop ?? [height, width]).join(" x ");
  return `${size}, normalised by mean ${shown(mean)} and deviation ${shown(std)}`;
}

/** Numbers of a batch of images: beyond it the host has hardly the memory, and resizing takes minutes. */
const MOST_NUMBERS = 2 ** 29;

/** What is wrong with images of a form in batches of so many; `null` if nothing is. */
export function tooLargeInForm([height, width, channels]: readonly number[], form: ImageForm, batch: number) {
  const { to, crop } = form.resize ?? { to: [height, width], crop: [height, width] };
  const [down, across] = to[0] * to[1] > crop[0] * crop[1] ? to : crop;
  const numbers = batch * down * across * channels;
  if (numbers <= MOST_NUMBERS) return null;
  return `batches of ${batch} images of ${down} x ${across} take ${(numbers * 4 / 2 ** 30).toFixed(1)} GiB, and ` +
    `${MOST_NUMBERS * 4 / 2 ** 30} are the most: take smaller images, or a smaller train.batchSize and ` +
    "evaluate.batchSize";
}

/**
 * Normalised images in another form. Those that are resized become bytes before, as pictures in files are.
 *
 * @param from how the images were normalised
 */
export function inImageForm({ data, shape }: ImageBatch, from: Normalisation, form: ImageForm): ImageBatch {
  const { resize, normalise } = form;
  const [count, height, width, channels] = shape;
  const pixels = data.map((value, at) => value * from.std[at % channels] + from.mean[at % channels]);
  const { mean, std } = normalise;
  const normalised = (pixel: number, at: number) => (pixel - mean[at % channels]) / std[at % channels];
  if (!resize || keepsSize([height, width], form)) {
    return { data: pixels.map((pixel, at) => normalised(exactly(pixel), at)), shape };
  }
  const size = height * width * channels;
  const [ownHeight, ownWidth] = resize.crop;
  const own = ownHeight * ownWidth * channels;
  const result = new Float32Array(count * own);
  for (let image = 0; image < count; image++) {
    const bytes = Uint8ClampedArray.from(pixels.subarray(image * size, (image + 1) * size), (pixel) => 255 * pixel);
    const picture = { pixels: new Uint8Array(bytes.buffer), height, width, channels };
    result.set(
      Float32Array.from(resized(picture, resize).pixels, (byte, at) => normalised(byte / 255, at)),
      image * own,
    );
  }
  return { data: result, shape: [count, ownHeight, ownWidth, channels] };
}

/** How far from a byte a pixel may be, in bytes, that was one before it was normalised in float32. */
const ROUNDING = 1e-4;

/** A pixel without the rounding of an earlier normalisation: a tree of decisions may divide just there. */
function exactly(pixel: number): number {
  const byte = Math.round(255 * pixel);
  return Math.abs(255 * pixel - byte) < ROUNDING ? byte / 255 : pixel;
}

/** A picture resized, and the middle of that. */
export function resized(picture: Picture, { to, resampling, crop, rounding = "floor" }: ImageResize): Picture {
  return cropCentre(resizePicture(picture, ...to, resampling), ...crop, rounding);
}

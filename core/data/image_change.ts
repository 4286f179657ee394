import { operated, type Operation } from "./image_operations.ts";
import type { Images } from "./images.ts";
import { drawOperations, type RandAugment } from "./rand_augment.ts";
import type { Random } from "./random.ts";
import type { Picture } from "./resize.ts";

/** Random changes beyond mirroring and shifting. Each follows from random numbers of its own. */
export interface FurtherAugmentation {
  /** The least part of its area that a random crop keeps, which is enlarged to the whole; `null`: no crops. */
  readonly crop?: number | null;
  /** Turned by up to so many degrees each way, about the middle. */
  readonly rotate?: number;
  /** Brightness, contrast and saturation are multiplied by 1 minus to 1 plus this. */
  readonly jitter?: number;
  /** The probability that a rectangle becomes the mean of the data set. */
  readonly erase?: number;
  /** Operations drawn from a list; `null`: none. */
  readonly randAugment?: RandAugment | null;
}

/** A rectangle of pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** What becomes of one image beside its being mirrored and shifted. */
export interface Change {
  /** The part that is enlarged to the whole; `null`: all. */
  readonly crop: Box | null;
  /** In degrees, counterclockwise. */
  readonly turn: number;
  /** What is done to its bytes before its colours change. */
  readonly operations: readonly Operation[];
  /** Factors of brightness, contrast and saturation, applied in this order; `null`: none. */
  readonly colours: readonly [brightness: number, contrast: number, saturation: number] | null;
  /** What is erased; `null`: nothing. */
  readonly erased: Box | null;
}

/** Whether an augmentation changes images otherwise than by mirroring and shifting. */
export function hasFurther({ crop, rotate, jitter, erase, randAugment }: FurtherAugmentation): boolean {
  return Boolean(crop || rotate || jitter || erase || randAugment);
}

/** Ratios of sides, width to height, of what is cropped and of what is erased; and the area of what is erased. */
const CROP_RATIO = 4 / 3;
const ERASE_RATIO = 3.3;
const ERASED = [0.02, 0.33] as const;

/** How often a rectangle is drawn again that does not fit into the image. */
const TRIES = 10;

/** Draws the change of an image. @param random of this image alone */
export function drawChange(
  random: Random,
  { crop, rotate = 0, jitter = 0, erase = 0, randAugment }: FurtherAugmentation,
  height: number,
  width: number,
): Change {
  const between = (own: Random, least: number, most: number) => least + (most - least) * own.uniform();
  const [colours, erasing] = [random.split("jitter"), random.split("erase")];
  return {
    crop: crop ? drawBox(random.split("crop"), [crop, 1], CROP_RATIO, height, width) : null,
    turn: rotate > 0 ? between(random.split("rotate"), -rotate, rotate) : 0,
    operations: randAugment ? drawOperations(random.split("randAugment"), randAugment, height, width) : [],
    colours: jitter > 0
      ? [
        between(colours, 1 - jitter, 1 + jitter),
        between(colours, 1 - jitter, 1 + jitter),
        between(colours, 1 - jitter, 1 + jitter),
      ]
      : null,
    erased: erase > 0 && erasing.uniform() < erase ? drawBox(erasing, ERASED, ERASE_RATIO, height, width) : null,
  };
}

/** A rectangle whose area is a part of the whole, as torchvision draws it; `null` if none of the drawn ones fits. */
function drawBox(
  random: Random,
  [least, most]: readonly [number, number],
  ratio: number,
  height: number,
  width: number,
): Box | null {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = height * width * (least + (most - least) * random.uniform());
    const aspect = Math.exp(Math.log(ratio) * (2 * random.uniform() - 1));
    const [tall, wide] = [Math.round(Math.sqrt(area / aspect)), Math.round(Math.sqrt(area * aspect))];
    if (tall < 1 || wide < 1 || tall > height || wide > width) continue;
    return { height: tall, width: wide, top: random.below(height - tall + 1), left: random.below(width - wide + 1) };
  }
  return null;
}

/** Where a pixel of the uncropped, mirrored and shifted image is in the stored one. */
export interface Shift {
  readonly flipped: boolean;
  readonly down: number;
  readonly right: number;
}

/**
 * An image after a change, as parts of 1: `[height, width, channels]`. Pixels between those of the stored image are
 * interpolated linearly; as a crop is enlarged, that is what torchvision's resizing does. What comes from outside of
 * the image is `fill`.
 *
 * @param source where it begins in `images.pixels`
 * @param fill as pixels are stored
 */
export function changedImage(images: Images, source: number, shift: Shift, change: Change, fill: number): Float32Array {
  const { height, width, channels } = images;
  const { crop, turn, operations, colours } = change;
  const white = images.pixels instanceof Uint8Array ? 255 : 1;
  const out = new Float32Array(height * width * channels);
  if (crop || turn !== 0) interpolate(images, source, shift, change, fill, white, out);
  else move(images, source, shift, fill, white, out);
  if (operations.length > 0) operate(out, { height, width, channels }, operations, fill / white);
  if (colours) jitter(out, channels, colours);
  return out;
}

/** Mirrors and shifts an image: whole pixels to whole pixels. */
function move(
  { pixels, height, width, channels }: Images,
  source: number,
  { flipped, down, right }: Shift,
  fill: number,
  white: number,
  out: Float32Array,
): void {
  for (let y = 0, to = 0; y < height; y++) {
    const row = y + down, isRow = row >= 0 && row < height;
    for (let x = 0; x < width; x++) {
      const column = flipped ? width - 1 - x - right : x + right;
      const from = isRow && column >= 0 && column < width ? source + (row * width + column) * channels : -1;
      for (let c = 0; c < channels; c++, to++) out[to] = (from < 0 ? fill : pixels[from + c]) / white;
    }
  }
}

/** Crops, mirrors, shifts and turns an image; pixels come from between four of the stored one's. */
function interpolate(
  { pixels, height, width, channels }: Images,
  source: number,
  { flipped, down, right }: Shift,
  { crop, turn }: Pick<Change, "crop" | "turn">,
  fill: number,
  white: number,
  out: Float32Array,
): void {
  const box = crop ?? { top: 0, left: 0, height, width };
  const [sine, cosine] = [Math.sin(turn * Math.PI / 180), Math.cos(turn * Math.PI / 180)];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const columns = new Float64Array(width);
  for (let x = 0; x < width; x++) {
    const shifted = inBox(x, width, box.left, box.width) + right;
    columns[x] = (flipped ? width - 1 - shifted : shifted) - middleX;
  }
  const valueAt = (y: number, x: number, c: number) =>
    y >= 0 && y < height && x >= 0 && x < width ? pixels[source + (y * width + x) * channels + c] : fill;
  for (let y = 0, to = 0; y < height; y++) {
    const inY = inBox(y, height, box.top, box.height) + down - middleY;
    for (let x = 0; x < width; x++) {
      const inX = columns[x];
      const fromX = middleX + cosine * inX - sine * inY, fromY = middleY + sine * inX + cosine * inY;
      // Marked as 32-bit integers, or V8 looks the pixels up by floats.
      const left = Math.floor(fromX) | 0, top = Math.floor(fromY) | 0;
      const partX = fromX - left, partY = fromY - top;
      for (let c = 0; c < channels; c++, to++) {
        let value = (1 - partY) * (1 - partX) * valueAt(top, left, c);
        if (partX > 0) value += (1 - partY) * partX * valueAt(top, left + 1, c);
        if (partY > 0) value += partY * (1 - partX) * valueAt(top + 1, left, c);
        if (partX > 0 && partY > 0) value += partY * partX * valueAt(top + 1, left + 1, c);
        out[to] = value / white;
      }
    }
  }
}

/** Rounds pixels from 0 to 1 to bytes, in place, and applies operations to these. */
function operate(
  out: Float32Array,
  size: { readonly height: number; readonly width: number; readonly channels: number },
  operations: readonly Operation[],
  fill: number,
): void {
  const byte = (value: number) => Math.round(clamp(value) * 255);
  const bytes = new Uint8Array(out.length);
  for (let at = 0; at < out.length; at++) bytes[at] = byte(out[at]);
  let picture: Picture = { ...size, pixels: bytes };
  for (const operation of operations) picture = operated(picture, operation, byte(fill));
  const { pixels } = picture;
  for (let at = 0; at < out.length; at++) out[at] = pixels[at] / 255;
}

/** The place in the whole of a pixel of a part that is enlarged; the part's edge goes on as it ends. */
function inBox(place: number, length: number, begin: number, part: number): number {
  return Math.min(begin + part - 1, Math.max(begin, begin + (place + 0.5) * part / length - 0.5));
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** Changes the colours of pixels from 0 to 1, in place, as torchvision's ColorJitter does. */
function jitter(pixels: Float32Array, channels: number, [brightness, contrast, saturation]: readonly number[]): void {
  for (let at = 0; at < pixels.length; at++) pixels[at] = clamp(pixels[at] * brightness);
  const count = pixels.length / channels;
  let mean = 0;
  for (let pixel = 0; pixel < count; pixel++) mean += brightnessAt(pixels, pixel * channels, channels) / count;
  for (let at = 0; at < pixels.length; at++) pixels[at] = clamp(mean + (pixels[at] - mean) * contrast);
  if (channels === 1) return;
  for (let pixel = 0; pixel < count; pixel++) {
    const grey = brightnessAt(pixels, pixel * channels, channels);
    for (let c = 0; c < channels; c++) {
      const at = pixel * channels + c;
      pixels[at] = clamp(grey + (pixels[at] - grey) * saturation);
    }
  }
}

/** By ITU-R 601 for red, green and blue; the mean of any other channels. */
function brightnessAt(pixels: Float32Array, at: number, channels: number): number {
  if (channels === 3) return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
  let sum = 0;
  for (let c = 0; c < channels; c++) sum += pixels[at + c];
  return sum / channels;
}

import { type Change, changedImage, drawChange, type FurtherAugmentation, hasFurther } from "./image_change.ts";
import type { Images } from "./images.ts";
import { Random } from "./random.ts";

/** Mean and deviation of pixels from 0 to 1, for each channel: subtracted, and divided by. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Random changes that leave an image's class as it is. */
export interface Augmentation extends FurtherAugmentation {
  /** Mirrors every other image, on average, left to right. */
  readonly flip: boolean;
  /** Moves an image by up to so many whole pixels in each direction; each offset is equally likely. */
  readonly shift: number;
  /** The pixel, as the data set stores it, for what a shift uncovers. Default: 0. */
  readonly fill?: number;
}

/** With an example's index, this decides its random changes; its batch does not. */
export interface AugmentationKey {
  readonly seed: number;
  readonly epoch: number;
}

/** Output (y, x) shows input (y + down, x + right), of the mirrored image if flipped. */
interface Placement {
  readonly flipped: boolean;
  readonly down: number;
  readonly right: number;
  /** What else becomes of it; `null`: nothing. */
  readonly change: Change | null;
}

/**
 * Gathers images into a batch and normalises them, without augmentation.
 *
 * @param images the data set
 * @param indices which of its images: one per place in the batch
 * @param normalisation mean and deviation of each channel
 * @param batch where to write: [indices.length, height, width, channels]
 * @throws RangeError if the sizes do not fit together, or there is no image of an index
 *
 * @example
 * ```ts
 * const images = { pixels: new Uint8Array(3 * 28 * 28), count: 3, height: 28, width: 28, channels: 1 };
 * const batch = new Float32Array(2 * 28 * 28);
 * normaliseImages(images, [0, 1], { mean: [0.286], std: [0.353] }, batch);
 * ```
 */
export function normaliseImages(
  images: Images,
  indices: ArrayLike<number>,
  normalisation: Normalisation,
  batch: Float32Array,
): void {
  const unmoved = { flipped: false, down: 0, right: 0, change: null };
  writeBatch(images, indices, normalisation, 0, () => unmoved, batch);
}

/**
 * Gathers images into a batch, augmented and normalised in one pass. What happens to an example follows from seed,
 * epoch and its index alone, so that neither the order nor the size of batches nor a resumed run changes it; of one
 * that is in the batch several times, from how often it was there before, too.
 *
 * @param images the data set
 * @param indices which of its images: one per place in the batch
 * @param normalisation mean and deviation of each channel
 * @param augmentation what may happen to an image
 * @param key what it follows from
 * @param batch where to write: [indices.length, height, width, channels]
 * @throws RangeError if the sizes do not fit together, or there is no image of an index
 */
export function augmentImages(
  images: Images,
  indices: ArrayLike<number>,
  normalisation: Normalisation,
  augmentation: Augmentation,
  key: AugmentationKey,
  batch: Float32Array,
): void {
  const { flip, shift, fill = 0 } = augmentation;
  if (!Number.isSafeInteger(shift) || shift < 0) {
    throw new RangeError(`Cannot shift images by up to ${shift} pixels: a whole number from 0 up is needed`);
  }
  const further = hasFurther(augmentation);
  const epoch = new Random(key.seed).split("augmentation").split(key.epoch);
  const seen = new Map<number, number>();
  const place = (index: number): Placement => {
    const before = seen.get(index) ?? 0;
    seen.set(index, before + 1);
    // One that comes again, as where classes are balanced, is to be another.
    const random = before === 0 ? epoch.split(index) : epoch.split(index).split(`again ${before}`);
    const flipped = flip && random.below(2) === 1;
    // Marked as 32-bit integers, or V8 does the arithmetic of the hot loop in floats: 3 times slower.
    const down = (random.below(2 * shift + 1) - shift) | 0;
    const right = (random.below(2 * shift + 1) - shift) | 0;
    const change = further ? drawChange(random, augmentation, images.height, images.width) : null;
    return { flipped, down, right, change };
  };
  writeBatch(images, indices, normalisation, fill, place, batch);
}

function writeBatch(
  images: Images,
  indices: ArrayLike<number>,
  normalisation: Normalisation,
  fill: number,
  place: (index: number) => Placement,
  batch: Float32Array,
): void {
  const size = images.height * images.width * images.channels;
  checkSizes(images, indices, normalisation, batch, size);
  // (pixel / 255 - mean) / std as one multiplication and one addition.
  const white = images.pixels instanceof Uint8Array ? 255 : 1;
  const scale = Float64Array.from(normalisation.std, (std) => 1 / (white * std));
  const offset = Float64Array.from(normalisation.mean, (mean, channel) => -mean / normalisation.std[channel]);
  const background = scale.map((factor, channel) => fill * factor + offset[channel]);
  for (let i = 0; i < indices.length; i++) {
    const source = images.placeOf?.(indices[i]) ?? indices[i] * size;
    if (!(source >= 0 && source + size <= images.pixels.length)) {
      throw new RangeError(`Cannot read image ${indices[i]} from place ${source} of ${images.pixels.length} values`);
    }
    const placement = place(indices[i]);
    if (placement.change) {
      writeChanged(images, source, placement, placement.change, normalisation, fill, batch, i * size);
    } else writeImage(images, source, placement, scale, offset, background, batch, i * size);
  }
}

/** An image with further changes, normalised; what is erased is the mean, 0. */
function writeChanged(
  images: Images,
  source: number,
  placement: Placement,
  change: Change,
  { mean, std }: Normalisation,
  fill: number,
  out: Float32Array,
  target: number,
): void {
  const { width, channels } = images;
  const pixels = changedImage(images, source, placement, change, fill);
  for (let at = 0; at < pixels.length; at++) out[target + at] = (pixels[at] - mean[at % channels]) / std[at % channels];
  const { erased } = change;
  for (let y = 0; erased && y < erased.height; y++) {
    const begin = target + ((erased.top + y) * width + erased.left) * channels;
    out.fill(0, begin, begin + erased.width * channels);
  }
}

/** The hot loop: each pixel of a training run passes here once per epoch. */
function writeImage(
  { pixels, height, width, channels }: Images,
  source: number,
  { flipped, down, right }: Placement,
  scale: Float64Array,
  offset: Float64Array,
  background: Float64Array,
  out: Float32Array,
  target: number,
): void {
  // The columns of the output that show the input; a mirrored image has the same ones.
  const first = Math.min(width, Math.max(0, -right));
  const last = Math.max(first, Math.min(width, width - right));
  const step = flipped ? -channels : channels;
  const length = width * channels;
  for (let y = 0; y < height; y++, target += length) {
    const row = y + down;
    const inside = row >= 0 && row < height;
    const from = inside ? first : width;
    const to = inside ? last : width;
    // One channel after the other: the innermost loop is then the same simple one for any number of channels.
    for (let c = 0; c < channels; c++) {
      const factor = scale[c], shift = offset[c], empty = background[c];
      let at = target + c;
      let pixel = source + (row * width + (flipped ? width - 1 - from - right : from + right)) * channels + c;
      for (let x = 0; x < from; x++, at += channels) out[at] = empty;
      for (let x = from; x < to; x++, at += channels, pixel += step) out[at] = pixels[pixel] * factor + shift;
      for (let x = to; x < width; x++, at += channels) out[at] = empty;
    }
  }
}

function checkSizes(
  { pixels, count, channels, placeOf }: Images,
  indices: ArrayLike<number>,
  { mean, std }: Normalisation,
  batch: Float32Array,
  size: number,
): void {
  if (mean.length !== channels || std.length !== channels) {
    throw new RangeError(
      `Cannot normalise ${channels} channels by ${mean.length} means and ${std.length} deviations: one each is needed`,
    );
  }
  if (!mean.every(Number.isFinite) || !std.every((value) => value > 0 && Number.isFinite(value))) {
    throw new RangeError(
      `Cannot normalise by the means [${mean}] and deviations [${std}]: deviations above 0 are needed`,
    );
  }
  if (!placeOf && pixels.length !== count * size) {
    throw new RangeError(`Cannot read ${count} images of ${size} values from ${pixels.length} values`);
  }
  if (batch.length !== indices.length * size) {
    throw new RangeError(
      `Cannot write ${indices.length} images of ${size} values into a batch of ${batch.length}: it must hold all`,
    );
  }
  for (let i = 0; i < indices.length; i++) {
    if (!(indices[i] >= 0 && indices[i] < count)) {
      throw new RangeError(`Cannot give image ${indices[i]}: there are the images 0 to ${count - 1}`);
    }
  }
}

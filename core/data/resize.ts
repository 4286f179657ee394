/** How a pixel of a resized picture is made of those around it, by Pillow's names. */
export const RESAMPLING = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"] as const;

/** One of {@link RESAMPLING}. */
export type Resampling = typeof RESAMPLING[number];

/**
 * Where the middle of a picture begins if that is between two pixels: at the first of them, as transformers has it, or
 * at the even one, as torchvision's CenterCrop.
 */
export const CROP_ROUNDINGS = ["floor", "half-even"] as const;

/** One of {@link CROP_ROUNDINGS}. */
export type CropRounding = typeof CROP_ROUNDINGS[number];

/** A picture of bytes: `[height, width, channels]`, row-major. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A filter's weight at a distance in pixels of the coarser of both grids, 0 from `support` on. */
interface Filter {
  readonly support: number;
  readonly at: (x: number) => number;
}

const sinc = (x: number) => x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);

/** Keys 1981, with a = -1/2. */
function cubic(x: number): number {
  const [a, distance] = [-0.5, Math.abs(x)];
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * a : 0;
}

const FILTERS: Readonly<Record<Exclude<Resampling, "nearest">, Filter>> = {
  box: { support: 0.5, at: (x) => x > -0.5 && x <= 0.5 ? 1 : 0 },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, at: (x) => Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0 },
  bicubic: { support: 2, at: cubic },
  lanczos: { support: 3, at: (x) => x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0 },
};

/** Weights are whole multiples of 2^-22, as in Pillow: results are then the same to the last bit. */
const ONE = 2 ** 22;

/** The pixels along one axis that make a pixel of the result: from `first` on, one weight each. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/**
 * A picture of another size, as Pillow makes it, up to version 12 to the last bit: where it shrinks, the filter is
 * widened, so that every pixel counts (no aliasing). Rows are shortened before columns, and bytes are rounded to in
 * between; Pillow 13 takes columns first where that is less work, and some of its bytes are one more or less.
 *
 * @param height of the result, from 1 up
 * @param width of the result, from 1 up
 */
export function resizePicture(picture: Picture, height: number, width: number, resampling: Resampling): Picture {
  if (resampling === "nearest") return nearest(picture, height, width);
  const filter = FILTERS[resampling];
  const wide = width === picture.width ? picture : alongRows(picture, tapsOf(picture.width, width, filter));
  return height === wide.height ? wide : alongColumns(wide, tapsOf(wide.height, height, filter));
}

/**
 * The middle of a picture; where it is smaller than that, there is black around it.
 *
 * @param height of the result
 * @param width of the result
 * @param rounding where it begins if that is between two pixels
 */
export function cropCentre(picture: Picture, height: number, width: number, rounding: CropRounding): Picture {
  const { channels } = picture;
  const pixels = new Uint8Array(height * width * channels);
  const [top, left] = [
    beginOfCentre(picture.height, height, rounding),
    beginOfCentre(picture.width, width, rounding),
  ];
  const [from, to] = [Math.max(0, -left), Math.min(width, picture.width - left)];
  for (let y = Math.max(0, -top); y < Math.min(height, picture.height - top); y++) {
    const row = (y + top) * picture.width + left;
    const shown = picture.pixels.subarray((row + from) * channels, (row + to) * channels);
    pixels.set(shown, (y * width + from) * channels);
  }
  return { pixels, height, width, channels };
}

function beginOfCentre(length: number, wanted: number, rounding: CropRounding): number {
  const half = (length - wanted) / 2;
  const first = Math.floor(half);
  return rounding === "half-even" && half > first && first % 2 !== 0 ? first + 1 : first;
}

function tapsOf(length: number, wanted: number, { support, at }: Filter): Taps[] {
  const scale = length / wanted;
  const widened = Math.max(1, scale);
  return Array.from({ length: wanted }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support * widened + 0.5));
    const end = Math.min(length, Math.trunc(centre + support * widened + 0.5));
    const raw = Float64Array.from({ length: end - first }, (_, tap) => at((first + tap - centre + 0.5) / widened));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: raw.map((weight) => roundAway(weight / sum * ONE)) };
  });
}

/** To the nearest whole number, halves away from 0. */
const roundAway = (x: number) => Math.trunc(x + (x < 0 ? -0.5 : 0.5));

function alongRows({ pixels, height, width, channels }: Picture, taps: readonly Taps[]): Picture {
  const out = new Uint8ClampedArray(height * taps.length * channels);
  for (let x = 0; x < taps.length; x++) {
    const { first, weights } = taps[x];
    for (let c = 0; c < channels; c++) {
      const [begin, end] = [first * channels + c, x * channels + c];
      for (let y = 0; y < height; y++) {
        let sum = ONE / 2;
        let at = y * width * channels + begin;
        for (let tap = 0; tap < weights.length; tap++, at += channels) sum += pixels[at] * weights[tap];
        out[y * taps.length * channels + end] = Math.floor(sum / ONE);
      }
    }
  }
  return { pixels: new Uint8Array(out.buffer), height, width: taps.length, channels };
}

function alongColumns({ pixels, width, channels }: Picture, taps: readonly Taps[]): Picture {
  const row = width * channels;
  const out = new Uint8ClampedArray(taps.length * row);
  const sums = new Float64Array(row);
  for (let y = 0; y < taps.length; y++) {
    const { first, weights } = taps[y];
    sums.fill(ONE / 2);
    // Row by row, as they stand in memory; sums of whole numbers are the same in any order.
    for (let tap = 0; tap < weights.length; tap++) {
      const [begin, weight] = [(first + tap) * row, weights[tap]];
      for (let at = 0; at < row; at++) sums[at] += pixels[begin + at] * weight;
    }
    // Rounded to a whole number, halves up; clamped to a byte by the array.
    for (let at = 0; at < row; at++) out[y * row + at] = Math.floor(sums[at] / ONE);
  }
  return { pixels: new Uint8Array(out.buffer), height: taps.length, width, channels };
}

function nearest({ pixels, height, width, channels }: Picture, wantedHeight: number, wantedWidth: number): Picture {
  const out = new Uint8Array(wantedHeight * wantedWidth * channels);
  const [rows, columns] = [nearestOnes(height, wantedHeight), nearestOnes(width, wantedWidth)];
  for (let y = 0; y < wantedHeight; y++) {
    for (let x = 0; x < wantedWidth; x++) {
      const from = (rows[y] * width + columns[x]) * channels;
      out.set(pixels.subarray(from, from + channels), (y * wantedWidth + x) * channels);
    }
  }
  return { pixels: out, height: wantedHeight, width: wantedWidth, channels };
}

/** Step by step, as Pillow does: a centre between two pixels falls to the same side by the same rounding. */
function nearestOnes(length: number, wanted: number): Uint32Array {
  const scale = length / wanted;
  let centre = scale / 2;
  return Uint32Array.from({ length: wanted }, () => {
    const place = Math.floor(centre);
    centre += scale;
    return Math.min(place, length - 1);
  });
}

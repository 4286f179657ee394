import type { Random } from "../../data/random.ts";

/** An image, `[height, width, channels]`, row-major, of numbers from 0 to 1. */
export interface Pixels {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A change of images that is no attack, by rising strength. */
export interface ImageChange {
  readonly name: string;
  /** What a strength is, for people. */
  readonly unit: string;
  readonly strengths: readonly number[];
  /** The changed image. The random numbers are the image's own. */
  apply(image: Pixels, strength: number, random: Random): Float32Array;
}

const within = (value: number) => Math.max(0, Math.min(1, value));

/** Normal noise in every number, cut to 0 to 1. */
const noise: ImageChange = {
  name: "noise",
  unit: "standard deviation, of pixels from 0 to 1",
  strengths: [0.04, 0.08, 0.16, 0.32],
  apply: ({ values }, deviation, random) => values.map((value) => within(value + deviation * random.normal())),
};

/** Gaussian blur; outside of the image its edge goes on. */
const blur: ImageChange = {
  name: "blur",
  unit: "standard deviation of the Gaussian, in pixels",
  strengths: [0.5, 1, 1.5, 2],
  apply: (image, deviation) => {
    const radius = Math.ceil(3 * deviation);
    const weights = Array.from(
      { length: 2 * radius + 1 },
      (_, at) => Math.exp(-(((at - radius) / deviation) ** 2) / 2),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const along = (from: Float32Array, step: (x: number, y: number, offset: number) => number) =>
      placed(image, (x, y, channel) => {
        let value = 0;
        for (const [at, weight] of weights.entries()) value += weight * from[step(x, y, at - radius) + channel];
        return value / sum;
      });
    const { width, height, channels } = image;
    const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
    const rows = along(image.values, (x, y, offset) => (y * width + clamp(x + offset, width)) * channels);
    return along(rows, (x, y, offset) => (clamp(y + offset, height) * width + x) * channels);
  },
};

/** Every number is brought nearer to the image's mean. */
const contrast: ImageChange = {
  name: "contrast",
  unit: "part of the contrast that is taken away",
  strengths: [0.2, 0.4, 0.6, 0.8],
  apply: ({ values }, part) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map((value) => within(mean + (1 - part) * (value - mean)));
  },
};

/** All pixels are moved, in one of eight directions; outside of the image its edge goes on. */
const shift: ImageChange = {
  name: "shift",
  unit: "pixels",
  strengths: [1, 2, 3, 4],
  apply: (image, pixels, random) => {
    const [dx, dy] = DIRECTIONS[random.below(DIRECTIONS.length)];
    const { width, height, channels, values } = image;
    const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, Math.round(value)));
    return placed(image, (x, y, channel) => {
      const from = clamp(y + dy * pixels, height) * width + clamp(x + dx * pixels, width);
      return values[from * channels + channel];
    });
  },
};

const DIRECTIONS = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]] as const;

/** The changes of images, in the order in which they are shown. */
export const IMAGE_CHANGES: readonly ImageChange[] = [noise, blur, contrast, shift];

function placed(
  { height, width, channels }: Pixels,
  at: (x: number, y: number, channel: number) => number,
): Float32Array {
  const values = new Float32Array(height * width * channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) values[to++] = at(x, y, channel);
    }
  }
  return values;
}

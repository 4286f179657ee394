import type { Ops } from "../../ops/ops.ts";
import type { ImageInput } from "../../plugin/dataset.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import { channelwise } from "../robustness/space.ts";
import { roundedUp } from "./rounding.ts";

/** How far numbers may go down and up from where they are: z lies between -lower and upper, both at least 0. */
export interface Box {
  /** `[batch, size]` */
  readonly lower: Float32Array;
  /** `[batch, size]` */
  readonly upper: Float32Array;
}

/** The same on the device: z lies within `radius` around `middle`, which is never farther from 0 than it. */
export interface Ball {
  /** `[batch, ...]` */
  readonly middle: Tensor;
  /** `[batch, ...]` */
  readonly radius: Tensor;
}

/** The smallest ball of float32 numbers around a box. */
export function ballOf(ops: Ops, { lower, upper }: Box, shape: readonly number[]): Ball {
  const middle = new Float32Array(lower.length);
  const radius = new Float32Array(lower.length);
  for (let i = 0; i < lower.length; i++) {
    const m = middle[i] = (upper[i] - lower[i]) / 2;
    radius[i] = roundedUp(Math.max(upper[i] - middle[i], lower[i] + middle[i]));
    if (Number.isNaN(m)) radius[i] = NaN;
  }
  return { middle: ops.tensor(middle, shape), radius: ops.tensor(radius, shape) };
}

/** The box around a ball. */
export function boxOf(middle: ArrayLike<number>, radius: ArrayLike<number>): Box {
  const lower = new Float32Array(middle.length);
  const upper = new Float32Array(middle.length);
  for (let i = 0; i < middle.length; i++) {
    lower[i] = roundedUp(Math.max(0, radius[i] - middle[i]));
    upper[i] = roundedUp(Math.max(0, radius[i] + middle[i]));
  }
  return { lower, upper };
}

/** What lies in both boxes. */
export function intersection(a: Box, b: Box): Box {
  return {
    lower: a.lower.map((one, i) => Math.min(one, b.lower[i])),
    upper: a.upper.map((one, i) => Math.min(one, b.upper[i])),
  };
}

/** The part of a box that is of some examples. */
export function someOf({ lower, upper }: Box, examples: readonly number[], batch: number): Box {
  const size = lower.length / batch;
  const part = (all: Float32Array) => {
    const own = new Float32Array(examples.length * size);
    examples.forEach((example, place) => own.set(all.subarray(example * size, (example + 1) * size), place * size));
    return own;
  };
  return { lower: part(lower), upper: part(upper) };
}

/** By how much, as a part, a change of pixels may be larger than it should be: attacks compute it in float32. */
const ROUNDING = 2 ** -20;

/**
 * What an attack may change: each pixel, from 0 to 1, by up to `eps`, and not beyond 0 and 1, but for rounding.
 *
 * @param images `[batch, height, width, channels]`, as (pixel - mean) / std
 */
export function boxAround(
  images: { readonly data: ArrayLike<number>; readonly shape: readonly number[] },
  normalise: ImageInput["normalise"],
  eps: number,
): Box {
  const size = sizeOf(images.shape);
  const channels = images.shape[3];
  const [mean, std] = [normalise.mean, normalise.std].map((values) => channelwise(values, channels));
  const [lower, upper] = [new Float32Array(size), new Float32Array(size)];
  for (let i = 0; i < size; i++) {
    const c = i % channels;
    const x = images.data[i];
    const [black, white] = [-mean[c] / std[c], (1 - mean[c]) / std[c]];
    const room = ROUNDING * (Math.abs(x) + Math.max(Math.abs(black), Math.abs(white)));
    const most = eps / std[c] * (1 + ROUNDING);
    lower[i] = roundedUp(Math.min(most, Math.max(0, x - black) + room));
    upper[i] = roundedUp(Math.min(most, Math.max(0, white - x) + room));
  }
  return { lower, upper };
}

import type { Floats } from "../../backend/backend.ts";
import type { PoolOptions } from "../../ops/pool2d.ts";
import type { Box } from "./boxes.ts";
import { roundedUp } from "./rounding.ts";

/** How the largest numbers of windows follow one number of each. */
export interface PoolBounds {
  /** Of the largest number of each window. */
  readonly box: Box;
  /**
   * By what a window's number is chosen, `[batch, height, width, channels]`: the one that is largest at its least, the
   * first of equal ones, as a pool of these numbers chooses.
   */
  readonly least: Float32Array;
  /** The largest number changes by at least the chosen one's change minus this. */
  readonly below: Float32Array;
  /** 1 where the chosen number is the largest whatever happens: then it changes by the same; else 0. */
  readonly sure: Float32Array;
}

/** Images that a pool takes. */
export interface PoolImages {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Bounds on how the largest number of each window changes, where the numbers are `v` and change within a box. */
export function poolBounds(
  { batch, height, width, channels }: PoolImages,
  { size, stride, padding }: Required<PoolOptions>,
  v: Floats,
  { lower, upper }: Box,
): PoolBounds {
  const [down, across] = [height, width].map((extent) => Math.floor((extent + 2 * padding - size) / stride) + 1);
  const count = batch * down * across * channels;
  const [low, high, below, sure] = Array.from({ length: 4 }, () => new Float32Array(count));
  const least = Float32Array.from(v, (value, i) => value - lower[i]);
  for (let to = 0; to < count; to++) {
    const channel = to % channels;
    const [column, row, image] = [
      Math.floor(to / channels) % across,
      Math.floor(to / channels / across) % down,
      Math.floor(to / channels / across / down),
    ];
    const taps: number[] = [];
    for (let y = Math.max(0, row * stride - padding); y < Math.min(height, row * stride - padding + size); y++) {
      for (let x = Math.max(0, column * stride - padding); x < Math.min(width, column * stride - padding + size); x++) {
        taps.push(((image * height + y) * width + x) * channels + channel);
      }
    }
    let chosen = taps[0];
    let [largest, most, leastMost] = [-Infinity, -Infinity, -Infinity];
    for (const tap of taps) {
      if (least[tap] > least[chosen]) chosen = tap;
      largest = Math.max(largest, v[tap]);
      most = Math.max(most, v[tap] + upper[tap]);
      leastMost = Math.max(leastMost, v[tap] - lower[tap]);
    }
    const room = ROUNDING * (Math.abs(largest) + Math.abs(most) + Math.abs(leastMost));
    const moves = taps.some((tap) => lower[tap] > 0 || upper[tap] > 0);
    high[to] = moves ? roundedUp(most - largest + room) : 0;
    low[to] = moves ? roundedUp(Math.max(0, largest - leastMost) + room) : 0;
    below[to] = moves ? roundedUp(Math.max(0, largest - v[chosen]) + room) : 0;
    const floor = v[chosen] - lower[chosen] - room;
    sure[to] = taps.every((tap) => tap === chosen || v[tap] + upper[tap] <= floor) ? 1 : 0;
  }
  return { box: { lower: low, upper: high }, least, below, sure };
}

/** Rounding of the few operations in float64 above, as a part of the numbers in them. */
const ROUNDING = 2 ** -50;

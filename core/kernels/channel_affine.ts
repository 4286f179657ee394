import type { Floats } from "../backend/backend.ts";

/** A factor and what is added for each channel. */
interface ChannelAffine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** Batch norm by given statistics as a multiplication and an addition. */
export function affineOf(
  { mean, variance, weight, bias }: Readonly<Record<"mean" | "variance" | "weight" | "bias", Floats>>,
  epsilon: number,
): ChannelAffine {
  const scale = Float64Array.from(weight, (value, c) => value / Math.sqrt(variance[c] + epsilon));
  return { scale, shift: scale.map((value, c) => bias[c] - mean[c] * value) };
}

/** `y = x scale + shift (+ added)`, with `activation` 1 no less than 0, with 2 no more than 6 either; y may be x. */
export function affineLoop(
  { scale, shift }: ChannelAffine,
  x: Floats,
  added: Floats | null,
  activation: number,
  y: Floats,
): void {
  const channels = scale.length;
  const [floor, ceiling] = [activation === 0 ? -Infinity : 0, activation === 2 ? 6 : Infinity];
  for (let row = 0; row < x.length; row += channels) {
    for (let c = 0, at = row; c < channels; c++, at++) {
      const value = x[at] * scale[c] + shift[c] + (added ? added[at] : 0);
      y[at] = Math.min(Math.max(value, floor), ceiling);
    }
  }
}

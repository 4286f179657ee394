import type { Device } from "../device.ts";
import { partsOf, squaredDifferenceGradientKernel, squaredDifferenceKernel } from "../kernels/squared_sums.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { broadcastShape } from "./broadcast.ts";
import { defineOp, type Op } from "./op.ts";
import { expandTo } from "./strided.ts";
import { sumOver, sumTo } from "./sum.ts";

/** Two tensors of one shape, and what the sum of their squared differences counts. */
interface Term {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly factor: number;
}

/** sum over terms of factor sum (a - b)^2, `[]`: one kernel for each, and the sum of what they leave. */
function weightedSum(device: Device, terms: readonly Term[]): Tensor {
  return device.scope(() => {
    const counts = terms.map(({ a }) => partsOf(a.size));
    const parts = device.empty([counts.reduce((sum, count) => sum + count, 0)]);
    let offset = 0;
    terms.forEach(({ a, b, factor }, index) => {
      const output = device.alias(parts, [counts[index]], offset);
      offset += counts[index];
      device.run(squaredDifferenceKernel, { a, b, output }, { size: a.size, count: counts[index], factor });
    });
    return device.alias(sumOver(device, parts, new Set([0])), []);
  });
}

/** d / d a of a term, where the sum's gradient is `gradient [1]`; `sign` -1 gives that by b. */
function gradientOf(device: Device, gradient: Tensor, { a, b, factor }: Term, sign: number): Tensor {
  const output = device.empty(a.shape, (sign > 0 ? a : b).format);
  device.run(squaredDifferenceGradientKernel, { a, b, gradient, output }, {
    size: a.size,
    factor: sign * 2 * factor,
  });
  return output;
}

/**
 * `mean((a - b)^2)` over all numbers, with broadcasting. It keeps neither the difference nor its square, which of large
 * weights would stand beside each other in memory until the step ends.
 */
export const meanSquaredDifference: Op<[a: Tensor, b: Tensor]> = defineOp({
  forward(device: Device, a: Tensor, b: Tensor) {
    const shape = broadcastShape(a.shape, b.shape);
    const whole = (x: Tensor) => showShape(x.shape) === showShape(shape) ? x : expandTo(device, x, shape);
    const term = { a: whole(a), b: whole(b), factor: 1 / sizeOf(shape) };
    return { output: weightedSum(device, [term]), saved: term };
  },
  backward(device, { gradient, saved, needs }, a, b) {
    return [a, b].map(({ shape }, side) =>
      needs[side] ? sumTo(device, gradientOf(device, gradient, saved, side === 0 ? 1 : -1), shape) : null
    );
  },
});

/**
 * sum_k weights[k] mean((a[k] - b[k])^2), `[]`: many pairs at once, each of two tensors of one shape, for one kernel a
 * pair in each direction.
 *
 * @throws RangeError if the lists are empty or of different lengths, or the shapes of a pair differ
 */
export const weightedSquaredDifferences: Op<
  [a: readonly Tensor[], b: readonly Tensor[], weights: readonly number[]]
> = defineOp({
  forward(device: Device, a: readonly Tensor[], b: readonly Tensor[], weights: readonly number[]) {
    if (a.length === 0 || a.length !== b.length || a.length !== weights.length) {
      throw new RangeError(
        `Cannot pair ${a.length} tensors with ${b.length} and ${weights.length} weights: expected as many of each, and ` +
          "one at least",
      );
    }
    const terms = a.map((x, k) => {
      if (showShape(x.shape) !== showShape(b[k].shape)) {
        throw new RangeError(
          `Cannot compare tensors of shape ${showShape(x.shape)} and ${
            showShape(b[k].shape)
          } (pair ${k}): the shapes ` +
            "must be equal",
        );
      }
      return { a: x, b: b[k], factor: weights[k] / x.size };
    });
    return { output: weightedSum(device, terms), saved: terms };
  },
  backward(device, { gradient, saved: terms, needs }) {
    const bySide = (sign: number, first: number) =>
      terms.map((term, k) => needs[first + k] ? gradientOf(device, gradient, term, sign) : null);
    return [...bySide(1, 0), ...bySide(-1, terms.length)];
  },
});

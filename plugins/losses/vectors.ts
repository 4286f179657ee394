import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";

/** Lengths of the vectors along the last dimension. */
export interface Lengths {
  /** `[..., 1]`: the Euclidean length, never less than `smallest`. */
  readonly length: Tensor;
  /** `[..., 1]`: 1, but (length / smallest)^2 for a shorter vector and so 0 for the zero vector. A constant. */
  readonly present: Tensor;
}

/**
 * Euclidean lengths along the last dimension. The root's slope is infinite at zero, so a zero vector would have a
 * gradient of NaN, or one of 1 / epsilon, which drowns all others in float32; times `present` it has none.
 *
 * @param x `[..., width]`
 * @param smallest length under which a vector counts as rounding of zero
 */
export function vectorLengths(ops: Ops, x: Tensor, smallest: number): Lengths {
  const squares = ops.sum(ops.square(x), { axes: [-1], keepDimensions: true });
  const bounded = ops.clampMinimum(squares, smallest * smallest);
  return { length: ops.sqrt(bounded), present: ops.constant(() => ops.divide(squares, bounded)) };
}

/** Each vector along the last dimension divided by its length; the zero vector stays zero and has no gradient. */
export function unitVectors(ops: Ops, x: Tensor, smallest = 1e-12): Tensor {
  const { length, present } = vectorLengths(ops, x, smallest);
  return ops.divide(ops.multiply(x, present), length);
}

/** Each vector along the last dimension less the mean of its entries. */
export function centred(ops: Ops, x: Tensor): Tensor {
  return ops.subtract(x, ops.mean(x, { axes: [-1], keepDimensions: true }));
}

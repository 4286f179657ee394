import type { Tensor } from "../tensor.ts";

/** The operations that a contraction is made of; `Ops` has them, and their gradients with them. */
export interface ContractionPrimitives {
  /** The products of the last two dimensions of `a` and `b`, either of which may be stored transposed. */
  matmul(a: Tensor, b: Tensor, options: { readonly transposeA: boolean; readonly transposeB: boolean }): Tensor;
  /** The elementwise product, with broadcasting. */
  multiply(a: Tensor, b: Tensor): Tensor;
  /** The sum over some dimensions, which go. */
  sum(x: Tensor, options: { readonly axes: readonly number[] }): Tensor;
  /** Dimension i of the result is dimension `order[i]` of `x`. */
  permute(x: Tensor, order: readonly number[]): Tensor;
  /** The same numbers in the same order under another shape. */
  reshape(x: Tensor, shape: readonly number[]): Tensor;
}

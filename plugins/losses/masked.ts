import type { Ops } from "../../core/ops/ops.ts";
import { labelledPositions } from "../../core/plugin/chain_positions.ts";
import type { Batch } from "../../core/plugin/dataset.ts";
import type { Tensor } from "../../core/tensor.ts";

/** The same as {@link labelledPositions}, a constant. */
export function scoredPositions(ops: Ops, labels: Tensor): Tensor {
  return ops.constant(() => labelledPositions(ops, labels));
}

/** 1 where a text has a token, 0 at its padding: `[batch, length]`; all 1 for inputs without a mask. */
export function tokenPositions(ops: Ops, batch: Batch<Tensor>, size: number, length: number): Tensor {
  return batch.mask ?? ops.full([size, length], 1);
}

/**
 * The mean of `x` over what a mask of 0 and 1 keeps; 0 where it keeps nothing.
 *
 * @param mask of as many dimensions as `x`, with extent 1 where all entries are kept or left out alike
 * @returns a scalar
 */
export function maskedMean(ops: Ops, x: Tensor, mask: Tensor): Tensor {
  const kept = ops.constant(() => ops.clampMinimum(ops.sum(mask), 1));
  return ops.scale(ops.divide(ops.sum(ops.multiply(x, mask)), kept), mask.size / x.size);
}

/**
 * Which vectors of a layer are a text's tokens rather than its padding.
 *
 * @param vectors a layer's output, vectors along the last dimension
 * @returns the batch's mask `[batch, length]` for tokens of texts, `[batch, length, width]`; else `null`: no vector is
 * padding
 */
export function tokenMask({ mask }: Batch<Tensor>, { shape }: Tensor): Tensor | null {
  return mask && shape.length === 3 && shape[1] === mask.shape[1] ? mask : null;
}

/**
 * The mean over a layer's vectors, those of padding left out.
 *
 * @param x a number for each vector of the layer, `[batch, ...]`, or for each of its entries `[batch, ..., width]`
 * @param vectors the layer's output `[batch, ..., width]`
 * @returns a scalar
 */
export function meanOverVectors(ops: Ops, x: Tensor, vectors: Tensor, batch: Batch<Tensor>): Tensor {
  const mask = tokenMask(batch, vectors);
  if (!mask) return ops.mean(x);
  return maskedMean(ops, x, x.shape.length === 3 ? ops.reshape(mask, [...mask.shape, 1]) : mask);
}

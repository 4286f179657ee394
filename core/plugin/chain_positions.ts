import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch } from "./dataset.ts";

/** 1 where a label is one, 0 where it is -1: `[batch, length]` of tagging labels. */
export function labelledPositions(ops: Ops, labels: Tensor): Tensor {
  return ops.minimum(ops.relu(ops.offset(labels, 1)), ops.scalar(1));
}

/**
 * The positions of a CRF's chain: those that have a label, as in training. Where there are no labels, all tokens;
 * special tokens and pieces within words are then part of the chain.
 *
 * @param shape begins with `[batch, length]`
 * @returns `[batch, length]` of 0 and 1
 */
export function chainPositions(ops: Ops, { label, mask }: Batch<Tensor>, shape: readonly number[]): Tensor {
  if (label) return labelledPositions(ops, label);
  return mask ?? ops.full(shape.slice(0, 2), 1);
}

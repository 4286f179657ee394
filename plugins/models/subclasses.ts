import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";

/**
 * Logits of classes from those of their parts: a class is as probable as its parts together, z_c = log sum_s exp(z_cs).
 *
 * @param logits `[batch, classes * subclasses]`, class by class
 * @returns `[batch, classes]`
 */
export function classLogits(ops: Ops, logits: Tensor, subclasses: number): Tensor {
  const groups = ops.reshape(logits, [logits.shape[0], -1, subclasses]);
  // z_cs - log softmax_s(z_c) is the same for all s, and neither over- nor underflows; the mean treats them alike.
  return ops.mean(ops.subtract(groups, ops.logSoftmax(groups)), { axes: [-1] });
}

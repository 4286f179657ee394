import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";

/** 1 at the label, 0 elsewhere: `[batch, classes]` from whole numbers `[batch]`; zeros for the label -1. */
export function oneHot(ops: Ops, labels: Tensor, classes: number): Tensor {
  const distance = ops.abs(ops.subtract(ops.tensor([...Array(classes).keys()]), ops.reshape(labels, [-1, 1])));
  return ops.relu(ops.complement(distance));
}

import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Logits of classes that an example may each be of or not, as logits of two outcomes: softmax([z, 0]) is [sigmoid(z),
 * sigmoid(-z)], which neither under- nor overflows there.
 *
 * @param logits of any shape
 * @returns `[numbers, 2]`
 */
export function asOutcomes(ops: Ops, logits: Tensor): Tensor {
  return ops.multiply(ops.reshape(logits, [logits.size, 1]), ops.tensor([1, 0]));
}

/**
 * Binary cross-entropy of each class: -y log sigmoid(z) - (1 - y) log sigmoid(-z), in nats.
 *
 * @param logits `[batch, classes]`
 * @param labels `[batch, classes]` of 0 and 1
 * @returns `[batch, classes]`
 */
export function binaryCrossEntropies(ops: Ops, logits: Tensor, labels: Tensor): Tensor {
  const outcome = ops.constant(() => ops.reshape(ops.complement(labels), [labels.size]));
  return ops.reshape(ops.crossEntropy(asOutcomes(ops, logits), outcome), logits.shape);
}

import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";

/**
 * KL(p || q) of each pair of distributions over the last dimension, given as logarithms: sum_c p_c (log p_c - log q_c),
 * in nats.
 *
 * @param logP `[..., classes]`, the teacher's as a rule
 * @param logQ `[..., classes]`
 * @returns `[...]`
 */
export function divergences(ops: Ops, logP: Tensor, logQ: Tensor): Tensor {
  return ops.sum(ops.multiply(ops.exp(logP), ops.subtract(logP, logQ)), { axes: [-1] });
}

/**
 * log sigmoid(x) and log sigmoid(-x) as a new last dimension `[..., 2]`: the log-probabilities of two outcomes whose
 * logits differ by `x`. Neither under- nor overflows, unlike `log(sigmoid(x))`.
 */
export function logOdds(ops: Ops, x: Tensor): Tensor {
  return ops.logSoftmax(ops.multiply(ops.reshape(x, [...x.shape, 1]), ops.tensor([0.5, -0.5])));
}

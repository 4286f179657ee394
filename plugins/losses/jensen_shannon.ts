import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { logOdds } from "./divergence.ts";
import { softenedLoss } from "./softened_loss.ts";

/** KL(p_T || m) + KL(p_S || m) of each row, `[rows]`, from log-probabilities `[rows, classes]`. */
function toTheMiddle(ops: Ops, logTeacher: Tensor, logStudent: Tensor): Tensor {
  // log(p_S / m) and log(p_T / m) without computing m, which may underflow: [rows, classes, 2]
  const ratios = ops.offset(logOdds(ops, ops.subtract(logStudent, logTeacher)), Math.LN2);
  const place = (logP: Tensor, at: readonly number[]) =>
    ops.multiply(ops.reshape(ops.exp(logP), [...logP.shape, 1]), ops.tensor(at));
  const probabilities = ops.add(place(logStudent, [1, 0]), place(logTeacher, [0, 1]));
  return ops.sum(ops.multiply(probabilities, ratios), { axes: [1, 2] });
}

/**
 * Jensen-Shannon divergence (Lin 1991; for distillation Wen et al. 2023, arXiv 2307.15190):
 * T^2 (KL(p_T || m) + KL(p_S || m)) / 2 with m = (p_T + p_S) / 2 and p = softmax(z / T), mean over the batch, in nats.
 * Symmetric, and at most T^2 log 2, so that an example on which the models differ widely does not outweigh all others.
 * For tagging the mean runs over the tokens that have a label.
 */
export const jensenShannon = softenedLoss({
  name: "jensen-shannon",
  description: "Jensen-Shannon divergence of the outputs: symmetric and bounded",
  equation: "T^2 (KL(p_T || m) + KL(p_S || m)) / 2, m = (p_T + p_S) / 2",
  source: "Wen et al. 2023, arXiv 2307.15190",
  temperature: { default: 1, description: "Temperature T that softens both outputs" },
  divergence: toTheMiddle,
  factor: 1 / 2,
});

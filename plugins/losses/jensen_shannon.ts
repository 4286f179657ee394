import { softenedLoss } from "./softened_loss.ts";

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
  divergence: (ops, teacher, student, factor) => ops.jensenShannonDivergence(teacher, student, factor),
});

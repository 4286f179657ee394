import { softenedLoss } from "./softened_loss.ts";

/**
 * Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): T^2 KL(softmax(z_T / T) || softmax(z_S / T)), mean
 * over the batch, natural logarithms. For tagging the mean runs over the tokens that have a label.
 */
export const kd = softenedLoss({
  name: "kd",
  description: "Hinton's distillation: KL divergence of softened outputs",
  equation: "T^2 KL(softmax(z_T / T) || softmax(z_S / T)), mean over the batch",
  source: "Hinton, Vinyals and Dean 2015, arXiv 1503.02531",
  temperature: { default: 4, description: "Temperature T that softens both outputs" },
  divergence: (ops, teacher, student, factor) => ops.klDivergence(teacher, student, factor),
});

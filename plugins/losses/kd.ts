import { asOutcomes } from "../../core/evaluate/bernoulli.ts";
import { softenedLoss } from "./softened_loss.ts";

/**
 * Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): T^2 KL(softmax(z_T / T) || softmax(z_S / T)), mean
 * over the batch, natural logarithms. For tagging the mean runs over the tokens that have a label. For several labels
 * each class is an outcome of its own (Yang et al. 2023, arXiv 2308.06453, whose T is 1 and which sums over classes):
 * T^2 KL(sigmoid(z_T / T) || sigmoid(z_S / T)), mean over batch and classes, so that it is of the size of
 * `binary-cross-entropy`.
 */
export const kd = softenedLoss({
  name: "kd",
  description: "Hinton's distillation: KL divergence of softened outputs",
  equation: "T^2 KL(softmax(z_T / T) || softmax(z_S / T)), mean over the batch",
  source: "Hinton, Vinyals and Dean 2015, arXiv 1503.02531",
  temperature: { default: 4, description: "Temperature T that softens both outputs" },
  binary: (ops, teacher, student, factor) =>
    ops.klDivergence(asOutcomes(ops, teacher), asOutcomes(ops, student), factor),
  divergence: (ops, teacher, student, factor) => ops.klDivergence(teacher, student, factor),
});

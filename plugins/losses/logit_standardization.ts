import type { Ops } from "../../core/ops/ops.ts";
import type { Tensor } from "../../core/tensor.ts";
import { softenedLoss } from "./softened_loss.ts";
import { centred, vectorLengths } from "./vectors.ts";

/** The published code adds this to each standard deviation. */
const EPSILON = 1e-7;

/** Each row less its mean, over its standard deviation (unbiased); a row of equal logits gives zeros. */
function standardise(ops: Ops, logits: Tensor): Tensor {
  const rows = centred(ops, logits);
  const { length, present } = vectorLengths(ops, rows, EPSILON);
  const deviation = ops.offset(ops.scale(length, 1 / Math.sqrt(logits.shape[1] - 1)), EPSILON);
  return ops.divide(ops.multiply(rows, present), deviation);
}

/**
 * Logit standardisation (LSKD, Sun et al. 2024, arXiv 2403.01427): T^2 KL(softmax(s(z_T) / T) || softmax(s(z_S) / T)),
 * mean over the batch, with s(z) = (z - mean z) / (std z + 1e-7) for each example, the deviation unbiased. So the
 * student learns the order and the relative distances of the logits and not their size. T is the published base
 * temperature 2, the factor T^2 the published code's, whose weight of the loss is 9 beside 0.1 for cross-entropy.
 *
 * Two standardised logits are always the same two numbers, so with two classes there is no gradient.
 */
export const logitStandardization = softenedLoss({
  name: "logit-standardization",
  description: "Distillation of logits standardised for each example (LSKD)",
  equation: "T^2 KL(softmax(s(z_T) / T) || softmax(s(z_S) / T)), s(z) = (z - mean z) / std z",
  source: "Sun et al. 2024, arXiv 2403.01427",
  temperature: { default: 2, description: "Base temperature T, after standardisation" },
  inspect({ data, report }) {
    if (data.classes.length !== 2) return;
    report("logit-standardization: with two classes it has no gradient, as two standardised logits never change");
  },
  transform: standardise,
  divergence: (ops, teacher, student, factor) => ops.klDivergence(teacher, student, factor),
});

import { defineLoss } from "../../core/plugin/loss.ts";
import { bounded } from "../../core/recipe/bounds.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import { type ClassWeights, classWeightsOption, weightedMean, weightingOf } from "./class_weights.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses, labelledRows } from "./token_rows.ts";

/** Nearer to 1 a probability's distance from it has no logarithm in float32. */
const SMALLEST = 1e-7;

/**
 * Focal loss (Lin et al. 2017, arXiv 1708.02002, Eq. 5), of the softmax's probability p_y of the label y:
 * -w_y (1 - p_y)^gamma log p_y, so that examples which are right already count less. The mean runs over the examples,
 * for tagging over the tokens, that have a label; with class weights w, the paper's alpha, it is divided by the sum of
 * theirs. With gamma 0 it is cross-entropy; the paper has gamma 2.
 */
export const focal = defineLoss<{ gamma: Scheduled; head: StudentHead; classWeights: ClassWeights }>({
  name: "focal",
  description: "Cross-entropy that examples which are right already have little part in",
  equation: "-w_y (1 - p_y)^gamma log p_y, mean over the batch",
  source: "Lin, Goyal, Girshick, He and Dollár 2017, arXiv 1708.02002",
  options: ({ z, scheduled }) =>
    z.strictObject({
      gamma: scheduled(bounded(z.number().min(0).max(20), "all examples would count for nothing")).default(2).describe(
        "How much less an example counts the nearer its label's probability is to 1; 0: cross-entropy",
      ),
      head: headOption({ z }),
      classWeights: classWeightsOption({ z }),
    }),
  create({ gamma, head, classWeights }, setup) {
    expectClasses("focal", setup.data, "mse");
    const logitsOfStudent = logitsOf("focal", head, setup);
    const weighting = weightingOf("focal", classWeights, setup);
    return {
      teacherOutputs: [],
      labels: "some",
      ...weighting?.hooks,
      compute(call) {
        const { ops, student, batch, at } = call;
        const logits = logitsOfStudent(student);
        const { rows, labels, mean } = labelledRows(ops, logits, batch);
        const surprise = ops.crossEntropy(rows(logits), labels()); // [rows]: -log p_y
        const missing = ops.clampMinimum(ops.complement(ops.exp(ops.negate(surprise))), SMALLEST); // 1 - p_y
        const modulated = ops.multiply(ops.exp(ops.scale(ops.log(missing), at(gamma))), surprise);
        if (!weighting) return mean(modulated);
        const { ofRows } = weighting.weights(call, labels());
        return weightedMean(ops, mean, ops.multiply(modulated, ofRows), ofRows);
      },
    };
  },
});

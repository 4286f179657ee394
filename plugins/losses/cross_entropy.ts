import { OTHER_LABEL, OTHER_SHARE } from "../../core/plugin/mix_images.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type ClassWeights, classWeightsOption, weightedMean, weightingOf } from "./class_weights.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses, labelledRows } from "./token_rows.ts";

/**
 * Cross-entropy with the labels: mean over the batch of -log softmax(z)_y, with label smoothing e
 * (Szegedy et al. 2016) -(1 - e) log p_y - e / C sum_c log p_c. The mean runs over the examples, for tagging over the
 * tokens, that have a label. Of mixed images it is that of both labels, by their shares. With a weight w_c of each
 * class it is, as PyTorch has it, the sum of -(1 - e) w_y log p_y - e / C sum_c w_c log p_c over the sum of w_y.
 */
export const crossEntropy = defineLoss<{ labelSmoothing: number; head: StudentHead; classWeights: ClassWeights }>({
  name: "cross-entropy",
  description: "Cross-entropy with the labels",
  equation: "-(1 - e) log p_y - e / C sum_c log p_c, mean over the batch",
  source: "Szegedy et al. 2016, arXiv 1512.00567 (label smoothing)",
  options: ({ z }) =>
    z.strictObject({
      labelSmoothing: z.number().min(0).lt(1).default(0).describe("Part of the target spread over all classes"),
      head: headOption({ z }),
      classWeights: classWeightsOption({ z }),
    }),
  create({ labelSmoothing, head, classWeights }, setup) {
    expectClasses("cross-entropy", setup.data, "mse");
    const logitsOfStudent = logitsOf("cross-entropy", head, setup);
    const weighting = weightingOf("cross-entropy", classWeights, setup);
    return {
      teacherOutputs: [],
      labels: "some",
      mixed: weighting === null,
      ...weighting?.hooks,
      compute(call) {
        const { ops, student, batch } = call;
        const logits = logitsOfStudent(student);
        const { rows, labels, mean } = labelledRows(ops, logits, batch);
        const surprise = (labels: Tensor) => ops.crossEntropy(rows(logits), labels, { smoothing: labelSmoothing });
        if (!weighting) {
          const { [OTHER_LABEL]: other, [OTHER_SHARE]: share } = batch;
          if (!other) return mean(surprise(labels()));
          return mean(ops.add(
            ops.multiply(surprise(labels()), ops.complement(share)),
            ops.multiply(surprise(other), share),
          ));
        }
        const { ofClasses, ofRows } = weighting.weights(call, labels());
        const hard = ops.multiply(ops.crossEntropy(rows(logits), labels()), ofRows);
        if (labelSmoothing === 0) return weightedMean(ops, mean, hard, ofRows);
        const uniform = ops.negate(ops.mean(ops.multiply(ops.logSoftmax(rows(logits)), ofClasses), { axes: [-1] }));
        const each = ops.add(ops.scale(hard, 1 - labelSmoothing), ops.scale(uniform, labelSmoothing));
        return weightedMean(ops, mean, each, ofRows);
      },
    };
  },
});

import { defineLoss } from "../../core/plugin/loss.ts";

/**
 * Cross-entropy with the labels: mean over the batch of -log softmax(z)_y, with label smoothing e
 * (Szegedy et al. 2016) -(1 - e) log p_y - e / C sum_c log p_c.
 */
export const crossEntropy = defineLoss<{ labelSmoothing: number }>({
  name: "cross-entropy",
  description: "Cross-entropy with the labels",
  options: ({ z }) =>
    z.strictObject({
      labelSmoothing: z.number().min(0).lt(1).default(0).describe("Part of the target spread over all classes"),
    }),
  create: ({ labelSmoothing }) => ({
    teacherOutputs: [],
    compute({ ops, student, batch }) {
      const logProbabilities = ops.logSoftmax(student.logits); // [batch, classes]
      const hard = ops.negate(ops.mean(ops.pick(logProbabilities, batch.label)));
      if (labelSmoothing === 0) return hard;
      const uniform = ops.negate(ops.mean(logProbabilities));
      return ops.add(ops.scale(hard, 1 - labelSmoothing), ops.scale(uniform, labelSmoothing));
    },
  }),
});

import { defineLoss } from "../../core/plugin/loss.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import { klDivergence } from "./divergence.ts";

/**
 * Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): T^2 KL(softmax(z_T / T) || softmax(z_S / T)), mean over
 * the batch, natural logarithms.
 */
export const kd = defineLoss<{ temperature: Scheduled }>({
  name: "kd",
  description: "Hinton's distillation: KL divergence of softened outputs",
  options: ({ z, scheduled }) =>
    z.strictObject({
      temperature: scheduled(z.number().positive()).default(4).describe("Temperature T that softens both outputs"),
    }),
  create: ({ temperature }) => ({
    teacherOutputs: ["logits"],
    compute({ ops, student, teacher, at }) {
      const t = at(temperature);
      const logStudent = ops.logSoftmax(ops.scale(student.logits, 1 / t)); // [batch, classes]
      const logTeacher = ops.logSoftmax(ops.scale(teacher.logits, 1 / t));
      return ops.scale(klDivergence(ops, logTeacher, logStudent), t * t);
    },
  }),
});

import { defineLoss } from "../../core/plugin/loss.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import { divergences } from "./divergence.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses, scoredRows } from "./token_rows.ts";

/**
 * Knowledge distillation (Hinton et al. 2015, arXiv 1503.02531): T^2 KL(softmax(z_T / T) || softmax(z_S / T)), mean over
 * the batch, natural logarithms. For tagging the mean runs over the tokens that have a label.
 */
export const kd = defineLoss<{ temperature: Scheduled; head: StudentHead }>({
  name: "kd",
  description: "Hinton's distillation: KL divergence of softened outputs",
  equation: "T^2 KL(softmax(z_T / T) || softmax(z_S / T)), mean over the batch",
  source: "Hinton, Vinyals and Dean 2015, arXiv 1503.02531",
  options: ({ z, scheduled }) =>
    z.strictObject({
      temperature: scheduled(z.number().positive()).default(4).describe("Temperature T that softens both outputs"),
      head: headOption({ z }),
    }),
  create({ temperature, head }, setup) {
    expectClasses("kd", setup.data, "mse-logits");
    const logitsOfStudent = logitsOf("kd", head, setup);
    return {
      teacherOutputs: ["logits"],
      compute({ ops, student, teacher, batch, at }) {
        const t = at(temperature);
        const { rows, mean } = scoredRows(ops, student.logits, batch.label);
        const [logStudent, logTeacher] = [logitsOfStudent(student), teacher.logits].map((logits) =>
          ops.logSoftmax(ops.scale(rows(logits), 1 / t)) // [rows, classes]
        );
        return ops.scale(mean(divergences(ops, logTeacher, logStudent)), t * t);
      },
    };
  },
});

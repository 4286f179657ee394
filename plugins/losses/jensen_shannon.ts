import { defineLoss } from "../../core/plugin/loss.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { logOdds } from "./divergence.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { expectClasses, scoredRows } from "./token_rows.ts";

/**
 * Jensen-Shannon divergence (Lin 1991; for distillation Wen et al. 2023, arXiv 2307.15190):
 * T^2 (KL(p_T || m) + KL(p_S || m)) / 2 with m = (p_T + p_S) / 2 and p = softmax(z / T), mean over the batch, in nats.
 * Symmetric, and at most T^2 log 2, so that an example on which the models differ widely does not outweigh all others.
 * For tagging the mean runs over the tokens that have a label.
 */
export const jensenShannon = defineLoss<{ temperature: Scheduled; head: StudentHead }>({
  name: "jensen-shannon",
  description: "Jensen-Shannon divergence of the outputs: symmetric and bounded",
  equation: "T^2 (KL(p_T || m) + KL(p_S || m)) / 2, m = (p_T + p_S) / 2",
  source: "Wen et al. 2023, arXiv 2307.15190",
  options: ({ z, scheduled }) =>
    z.strictObject({
      temperature: scheduled(z.number().positive()).default(1).describe("Temperature T that softens both outputs"),
      head: headOption({ z }),
    }),
  create({ temperature, head }, setup) {
    expectClasses("jensen-shannon", setup.data, "mse-logits");
    const logitsOfStudent = logitsOf("jensen-shannon", head, setup);
    return {
      teacherOutputs: ["logits"],
      compute({ ops, student, teacher, batch, at }) {
        const t = at(temperature);
        const { rows, mean } = scoredRows(ops, student.logits, batch.label);
        const [logStudent, logTeacher] = [logitsOfStudent(student), teacher.logits].map((logits) =>
          ops.logSoftmax(ops.scale(rows(logits), 1 / t)) // [rows, classes]
        );
        // log(p_S / m) and log(p_T / m) without computing m, which may underflow: [rows, classes, 2]
        const ratios = ops.offset(logOdds(ops, ops.subtract(logStudent, logTeacher)), Math.LN2);
        const place = (logP: Tensor, at: readonly number[]) =>
          ops.multiply(ops.reshape(ops.exp(logP), [...logP.shape, 1]), ops.tensor(at));
        const probabilities = ops.add(place(logStudent, [1, 0]), place(logTeacher, [0, 1]));
        return ops.scale(mean(ops.sum(ops.multiply(probabilities, ratios), { axes: [1, 2] })), t * t / 2);
      },
    };
  },
});

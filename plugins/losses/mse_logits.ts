import { defineLoss } from "../../core/plugin/loss.ts";
import { headOption, logitsOf, type StudentHead } from "./student_head.ts";
import { scoredRows } from "./token_rows.ts";

/**
 * Mean squared difference of the logits (Ba and Caruana 2014): mean over batch and classes of (z_S - z_T)^2. For
 * tagging the mean runs over the tokens that have a label.
 */
export const mseLogits = defineLoss<{ head: StudentHead }>({
  name: "mse-logits",
  description: "Mean squared difference of the logits",
  equation: "mean over batch and classes of (z_S - z_T)^2",
  source: "Ba and Caruana 2014, arXiv 1312.6184",
  options: ({ z }) => z.strictObject({ head: headOption({ z }) }),
  create({ head }, setup) {
    const logitsOfStudent = logitsOf("mse-logits", head, setup);
    return {
      teacherOutputs: ["logits"],
      mixed: true,
      compute({ ops, student, teacher, batch }) {
        const { rows, mean } = scoredRows(ops, student.logits, batch);
        // [rows, classes]
        const squares = ops.square(ops.subtract(rows(logitsOfStudent(student)), rows(teacher.logits)));
        return mean(ops.mean(squares, { axes: [-1] }));
      },
    };
  },
});

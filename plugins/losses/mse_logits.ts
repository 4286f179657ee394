import { defineLoss } from "../../core/plugin/loss.ts";

/** Mean squared difference of the logits (Ba and Caruana 2014): mean over batch and classes of (z_S - z_T)^2. */
export const mseLogits = defineLoss<Record<never, never>>({
  name: "mse-logits",
  description: "Mean squared difference of the logits",
  equation: "mean over batch and classes of (z_S - z_T)^2",
  source: "Ba and Caruana 2014, arXiv 1312.6184",
  options: ({ z }) => z.strictObject({}),
  create: () => ({
    teacherOutputs: ["logits"],
    compute: ({ ops, student, teacher }) => ops.mean(ops.square(ops.subtract(student.logits, teacher.logits))),
  }),
});

import { UserError } from "../../core/errors.ts";
import { defineLoss } from "../../core/plugin/loss.ts";

/** The hard-label loss of regression: mean over the batch of (z - y)^2 for the model's number z and the label y. */
export const mse = defineLoss<Record<never, never>>({
  name: "mse",
  description: "Mean squared difference from the labels, for regression",
  equation: "mean_b (z - y)^2",
  source: "Least squares",
  options: ({ z }) => z.strictObject({}),
  create(_options, { data }) {
    if (data.task !== "regression") {
      throw new UserError(`Cannot use the loss "mse" for ${data.task}: its labels are classes; use cross-entropy`);
    }
    return {
      teacherOutputs: [],
      compute: ({ ops, student, batch: { label } }) =>
        ops.mean(ops.square(ops.subtract(ops.reshape(student.logits, label.shape), label))),
    };
  },
});

import { UserError } from "../../core/errors.ts";
import { defineLoss } from "../../core/plugin/loss.ts";
import { labelledRows } from "./token_rows.ts";

/**
 * The hard-label loss of regression: mean of (z - y)^2 for the model's number z and the label y, over the examples of
 * the batch that have one.
 */
export const mse = defineLoss<Record<never, never>>({
  name: "mse",
  description: "Mean squared difference from the labels, for regression",
  equation: "mean_b (z - y)^2",
  source: "Least squares",
  options: ({ z }) => z.strictObject({}),
  create(_options, { data }) {
    if (data.task !== "regression") {
      const instead = data.task === "multi-label" ? "binary-cross-entropy" : "cross-entropy";
      throw new UserError(`Cannot use the loss "mse" for ${data.task}: its labels are classes; use ${instead}`);
    }
    return {
      teacherOutputs: [],
      labels: "some",
      compute({ ops, student, batch }) {
        const { label } = batch;
        const squares = ops.square(ops.subtract(ops.reshape(student.logits, label.shape), label));
        return labelledRows(ops, student.logits, batch).mean(squares);
      },
    };
  },
});

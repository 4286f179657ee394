import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { Tensor } from "../../core/tensor.ts";
import { scoredPositions } from "./masked.ts";

/**
 * Refuses a loss of probabilities where the labels are not classes.
 *
 * @param who name of the loss
 * @param instead the loss to use for a regression
 * @throws UserError for a regression
 */
export function expectClasses(who: string, { task }: InputDescription, instead: string): void {
  if (task !== "regression") return;
  throw new UserError(
    `Cannot use the loss "${who}" for regression: it compares probabilities of classes; use ${instead}`,
  );
}

/** The decisions that a batch is scored by: one for each example, or for each token that has a label. */
export interface ScoredRows {
  /** Logits `[batch, classes]` or `[batch, length, classes]` as `[rows, classes]`. */
  rows(logits: Tensor): Tensor;
  /** `[rows]`: the labels; 0 at tokens without one. */
  labels(): Tensor;
  /** The mean over the decisions of a number for each row, `[rows]`. */
  mean(values: Tensor): Tensor;
}

/**
 * How a loss over logits treats examples and tokens alike.
 *
 * @param logits `[batch, classes]`, or `[batch, length, classes]` for tagging
 * @param label `[batch]`, or `[batch, length]` with -1 at tokens that are not scored
 */
export function scoredRows(ops: Ops, logits: Tensor, label: Tensor): ScoredRows {
  if (logits.shape.length === 2) {
    return { rows: (x) => x, labels: () => label, mean: (values) => ops.mean(values) };
  }
  const count = label.size;
  const shares = ops.constant(() => {
    const scored = ops.reshape(scoredPositions(ops, label), [count]);
    return ops.divide(scored, ops.clampMinimum(ops.sum(scored), 1)); // [rows], with sum 1
  });
  return {
    rows: (x) => ops.reshape(x, [count, x.shape.at(-1)!]),
    labels: () => ops.reshape(ops.relu(label), [count]),
    mean: (values) => ops.sum(ops.multiply(values, shares)),
  };
}

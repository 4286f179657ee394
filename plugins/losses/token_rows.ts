import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Batch, InputDescription } from "../../core/plugin/dataset.ts";
import type { Tensor } from "../../core/tensor.ts";
import { scoredPositions } from "./masked.ts";

/**
 * Refuses a loss of probabilities that sum to 1 where the labels are not one class each.
 *
 * @param who name of the loss
 * @param instead the loss to use for a regression
 * @param several the losses to use for several labels
 * @throws UserError for a regression, as for several labels
 */
export function expectClasses(
  who: string,
  { task }: InputDescription,
  instead: string,
  several = "binary-cross-entropy, kd or mse-logits",
): void {
  if (task === "multi-label") {
    throw new UserError(
      `Cannot use the loss "${who}" for multi-label: its probabilities of the classes sum to 1, and an example is of ` +
        `several classes or none; use ${several}`,
    );
  }
  if (task !== "regression") return;
  throw new UserError(
    `Cannot use the loss "${who}" for regression: it compares probabilities of classes; use ${instead}`,
  );
}

/** The decisions that a batch is scored by: one for each example, or for each token that has a label. */
export interface ScoredRows {
  /** Logits `[batch, classes]` or `[batch, length, classes]` as `[rows, classes]`. */
  rows(logits: Tensor): Tensor;
  /** `[rows]`: the labels; 0 at rows without one. */
  labels(): Tensor;
  /** The mean over the decisions of a number for each row, `[rows]`. */
  mean(values: Tensor): Tensor;
}

/**
 * How a loss over logits treats examples and tokens alike.
 *
 * @param logits `[batch, classes]`, or `[batch, length, classes]` for tagging
 * @param batch its `label` is looked at where there are tokens, with -1 at those that are not scored
 */
export function scoredRows(ops: Ops, logits: Tensor, batch: Batch<Tensor>): ScoredRows {
  if (logits.shape.length === 2) {
    return { rows: (x) => x, labels: () => batch.label, mean: (values) => ops.mean(values) };
  }
  const { label } = batch;
  return sharedRows(ops, label, scoredPositions(ops, label));
}

/**
 * How a loss over labels treats examples and tokens alike: those without a label are left out.
 *
 * @param logits `[batch, classes]`, or `[batch, length, classes]` for tagging
 */
export function labelledRows(ops: Ops, logits: Tensor, batch: Batch<Tensor>): ScoredRows {
  return batch.labelled ? sharedRows(ops, batch.label, batch.labelled) : scoredRows(ops, logits, batch);
}

/** Rows that count alike or not at all. @param scored 1 for those that count, else 0, in the labels' shape */
function sharedRows(ops: Ops, label: Tensor, scored: Tensor): ScoredRows {
  const count = label.size;
  // [rows], with sum 1 unless none counts
  const shares = ops.constant(() => ops.divide(ops.reshape(scored, [count]), ops.clampMinimum(ops.sum(scored), 1)));
  return {
    rows: (x) => ops.reshape(x, [count, x.shape.at(-1)!]),
    labels: () => ops.reshape(ops.relu(label), [count]),
    mean: (values) => ops.sum(ops.multiply(values, shares)),
  };
}

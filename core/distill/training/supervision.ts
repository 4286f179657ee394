import { asOutcomes, binaryCrossEntropies } from "../../evaluate/bernoulli.ts";
import type { Ops } from "../../ops/ops.ts";
import { labelledPositions } from "../../plugin/chain_positions.ts";
import type { Batch, Task } from "../../plugin/dataset.ts";
import type { Tensor } from "../../tensor.ts";

/**
 * The cross-entropy of logits with a batch's labels, for several labels the mean over classes of the binary one: the
 * mean over the examples, for tagging over the tokens, that have a label.
 *
 * @param logits `[batch, classes]`, or `[batch, length, classes]` for tagging
 * @returns a scalar
 */
export function labelLoss(ops: Ops, task: Task, logits: Tensor, batch: Batch<Tensor>): Tensor {
  const { label, labelled } = batch;
  if (task === "multi-label") {
    return meanOf(ops, ops.mean(binaryCrossEntropies(ops, logits, label), { axes: [-1] }), labelled ?? null);
  }
  const rows = ops.reshape(logits, [label.size, logits.shape.at(-1)!]);
  const known = ops.constant(() => ops.reshape(ops.relu(label), [label.size]));
  return meanOf(ops, ops.crossEntropy(rows, known), labelled ?? (task === "tagging" ? scored(ops, label) : null));
}

/**
 * KL(reference || logits) of outputs softened by a temperature, without its square as a factor: the mean over the
 * examples, for tagging over the tokens that have a label, for several labels over all classes. Gradients go to both.
 *
 * @param reference logits in the shape of the others
 */
export function softDivergence(
  ops: Ops,
  task: Task,
  { reference, logits, temperature }: {
    readonly reference: Tensor;
    readonly logits: Tensor;
    readonly temperature: number;
  },
  { label }: Batch<Tensor>,
): Tensor {
  const rows = (x: Tensor) =>
    task === "multi-label" ? asOutcomes(ops, x) : ops.reshape(x, [x.size / x.shape.at(-1)!, x.shape.at(-1)!]);
  const each = ops.klDivergence(rows(reference), rows(logits), 1 / temperature);
  return meanOf(ops, each, task === "tagging" ? scored(ops, label) : null);
}

/** 1 where a token has a label, 0 where that is -1. */
function scored(ops: Ops, label: Tensor): Tensor {
  return ops.constant(() => labelledPositions(ops, label));
}

/** The mean of those values that count. @param counts 1 for those that do, else 0; `null`: all */
function meanOf(ops: Ops, values: Tensor, counts: Tensor | null): Tensor {
  if (!counts) return ops.mean(values);
  const shares = ops.constant(() =>
    ops.divide(ops.reshape(counts, values.shape), ops.clampMinimum(ops.sum(counts), 1))
  );
  return ops.sum(ops.multiply(values, shares));
}

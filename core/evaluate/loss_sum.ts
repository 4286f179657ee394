import type { Ops } from "../ops/ops.ts";
import { chainPositions } from "../plugin/chain_positions.ts";
import type { HostTensor, Task } from "../plugin/dataset.ts";
import type { ModelOutputs } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";
import { binaryCrossEntropies } from "./bernoulli.ts";

/** The labels of a batch, and which of its examples have one; `null`: all. */
export interface GivenLabels {
  readonly label: HostTensor;
  readonly labelled: HostTensor | null;
}

/** The loss of a batch that `Evaluation.loss` is the mean of: a scalar, the sum over what is scored. */
export function lossSum(
  ops: Ops,
  task: Task,
  { logits, transitions }: Pick<ModelOutputs, "logits" | "transitions">,
  { label: { data, shape }, labelled }: GivenLabels,
): Tensor {
  if (task === "regression") {
    const squares = ops.square(ops.subtract(ops.reshape(logits, shape), ops.tensor(data, shape)));
    return ops.sum(labelled ? ops.multiply(squares, ops.tensor(labelled.data, shape)) : squares);
  }
  // Vectors have no loss; their lengths tell whether their numbers are finite.
  if (task === "embedding") return ops.sum(ops.square(logits));
  if (task === "multi-label") {
    const means = ops.mean(binaryCrossEntropies(ops, logits, ops.tensor(data, shape)), { axes: [-1] });
    return ops.sum(labelled ? ops.multiply(means, ops.tensor(labelled.data)) : means);
  }
  if (transitions) {
    const label = ops.tensor(data, shape);
    const logPartition = ops.crfLogPartition(logits, transitions, chainPositions(ops, { label }, shape));
    return ops.sum(ops.subtract(logPartition, ops.crfScore(logits, transitions, label)));
  }
  const rows = ops.reshape(logits, [data.length, logits.shape.at(-1)!]);
  const likelihoods = ops.pick(ops.logSoftmax(rows), ops.tensor(data.map((label) => Math.max(label, 0))));
  const scored = ops.tensor(data.map((label) => label >= 0 ? 1 : 0));
  return ops.negate(ops.sum(ops.multiply(likelihoods, scored)));
}

import { argmaxKernel } from "../kernels/argmax.ts";
import { correctKernel } from "../kernels/correct.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch, HostTensor, Task } from "../plugin/dataset.ts";
import type { Model, ModelOutputs } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";

/** A number for each row of logits: 1 where the model is right, and 0 also where the label is -1. */
export function correctPredictions(ops: Ops, logits: Tensor, labels: Tensor): Tensor {
  const columns = logits.shape.at(-1)!;
  const rows = logits.size / columns;
  const output = ops.device.empty([rows]);
  ops.device.run(correctKernel, { logits, labels, output }, { rows, columns });
  return output;
}

/** What the model decides: the largest logit's class, unless it says more. `[batch]`, or `[batch, length]` for tagging. */
export function predictionsOf(
  ops: Ops,
  task: Task,
  { logits, predictions }: Pick<ModelOutputs, "logits" | "predictions">,
): Tensor {
  if (predictions) return predictions;
  if (task === "regression") return ops.reshape(logits, [logits.size]);
  const columns = logits.shape.at(-1)!;
  const output = ops.device.empty(logits.shape.slice(0, -1));
  ops.device.run(argmaxKernel, { input: logits, output }, { rows: logits.size / columns, columns });
  return output;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Runs a model in evaluation mode, for what it decides. */
export function infer(ops: Ops, model: Model, weights: Weights, batch: Batch<Tensor>): ModelOutputs {
  const noSeed = () => {
    throw new Error("A model asked for a random number in evaluation");
  };
  return model.forward({ ops, weights, batch, training: false, randomSeed: noSeed, wanted: NOTHING });
}

/** How many answers of a batch count: its examples, or the tokens whose label is not -1. */
export function scoredIn(task: Task, { data }: HostTensor): number {
  return task === "tagging" ? data.reduce((count, label) => count + (label >= 0 ? 1 : 0), 0) : data.length;
}

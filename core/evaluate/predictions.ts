import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch, HostTensor, Task } from "../plugin/dataset.ts";
import { batchFor, upload } from "../plugin/batch.ts";
import type { Model, ModelOutputs } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";

/**
 * What the model decides: the largest logit's class, unless it says more. `[batch]`, or `[batch, length]` for tagging;
 * for several labels the logits `[batch, classes]` themselves, as a threshold decides there, and for embedding the
 * vectors `[batch, width]`.
 */
export function predictionsOf(
  ops: Ops,
  task: Task,
  { logits, predictions }: Pick<ModelOutputs, "logits" | "predictions">,
): Tensor {
  if (predictions) return predictions;
  if (task === "multi-label" || task === "embedding") return ops.reshape(logits, logits.shape);
  if (task === "regression") return ops.reshape(logits, [logits.size]);
  return ops.argmax(logits);
}

const NOTHING: ReadonlySet<string> = new Set();

/** Runs a model in evaluation mode, for what it decides. */
export function infer(ops: Ops, model: Model, weights: Weights, batch: Batch<Tensor>): ModelOutputs {
  const noSeed = () => {
    throw new Error("A model asked for a random number in evaluation");
  };
  return model.forward({ ops, weights, batch, training: false, randomSeed: noSeed, wanted: NOTHING });
}

/** Runs a model on a batch of a data set, for what it decides. */
export function inferOn(ops: Ops, model: Model, weights: Weights, batch: Batch<HostTensor>): ModelOutputs {
  return infer(ops, model, weights, upload(ops, batchFor(model, batch, NOTHING)));
}

/** How many answers of a batch count: its examples that have a label, or the tokens whose label is not -1. */
export function scoredIn(
  task: Task,
  { label: { data, shape }, labelled }: { readonly label: HostTensor; readonly labelled?: HostTensor | null },
): number {
  if (task === "tagging") return data.reduce((count, label) => count + (label >= 0 ? 1 : 0), 0);
  return labelled ? labelled.data.reduce((count, one) => count + one, 0) : shape[0];
}

import { correctKernel } from "../kernels/correct.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Batch, Examples } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";
import { breathe } from "./breathe.ts";

/** How well a model does on a list of examples. */
export interface Evaluation {
  /** Part of the examples whose largest logit is the label's. */
  readonly accuracy: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  readonly examples: number;
}

/** Uploads a batch of a data set. */
export function uploadBatch(ops: Ops, examples: Examples, indices: Uint32Array): Batch<Tensor> {
  return Object.fromEntries(
    Object.entries(examples.batch(indices)).map(([name, { data, shape }]) => [name, ops.tensor(data, shape)]),
  );
}

/** A number per row: 1 where the model is right. */
export function correctPredictions(ops: Ops, logits: Tensor, labels: Tensor): Tensor {
  const [rows, columns] = logits.shape;
  const output = ops.device.empty([rows]);
  ops.device.run(correctKernel, { logits, labels, output }, { rows, columns });
  return output;
}

/** Runs a model in evaluation mode. */
export function infer(ops: Ops, model: Model, weights: Weights, batch: Batch<Tensor>): Tensor {
  const noSeed = () => {
    throw new Error("A model asked for a random number in evaluation");
  };
  return model.forward({ ops, weights, batch, training: false, randomSeed: noSeed }).logits;
}

/** Accuracy and loss over a split, batch by batch; everything is read back once at the end. */
export async function evaluate(
  ops: Ops,
  model: Model,
  weights: Weights,
  examples: Examples,
  batchSize: number,
): Promise<Evaluation> {
  const sums: Tensor[] = [];
  for (let begin = 0; begin < examples.length; begin += batchSize) {
    const size = Math.min(batchSize, examples.length - begin);
    const indices = Uint32Array.from({ length: size }, (_, i) => begin + i);
    sums.push(...ops.scope(() => {
      const batch = uploadBatch(ops, examples, indices);
      const logits = infer(ops, model, weights, batch);
      const correct = ops.sum(correctPredictions(ops, logits, batch.label));
      const loss = ops.negate(ops.sum(ops.pick(ops.logSoftmax(logits), batch.label)));
      return [correct, loss];
    }));
    await breathe();
  }
  const numbers = (await ops.read(sums)).map(([value]) => value);
  sums.forEach((tensor) => tensor.dispose());
  const total = (first: number) =>
    numbers.filter((_, index) => index % 2 === first).reduce((sum, value) => sum + value, 0);
  return { accuracy: total(0) / examples.length, loss: total(1) / examples.length, examples: examples.length };
}

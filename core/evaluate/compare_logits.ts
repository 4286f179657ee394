import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import { uploadBatch } from "../plugin/batch.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import { computeBatches } from "./compute_batches.ts";
import { infer } from "./predictions.ts";

/** A model with its weights. */
export interface WeightedModel {
  readonly model: Model;
  readonly weights: Weights;
}

/** How far the logits of two models are apart. */
export interface LogitComparison {
  /** The largest difference; NaN if any logit is. */
  readonly difference: number;
  /** The largest absolute logit. */
  readonly largest: number;
}

/** Compares the logits of two models, or of one with two sets of weights, on the first examples of a list. */
export async function compareLogits(
  ops: Ops,
  a: WeightedModel,
  b: WeightedModel,
  examples: Examples,
  count: number,
): Promise<LogitComparison> {
  const indices = Uint32Array.from({ length: Math.min(count, examples.length) }, (_, index) => index);
  const computed = computeBatches(examples, [indices], (indices) =>
    ops.scope(() => {
      const batch = uploadBatch(ops, examples, indices);
      return [a, b].map(({ model, weights }) => infer(ops, model, weights, batch).logits);
    }));
  let [most, largest] = [0, 0];
  for await (const { result: logits } of computed) {
    const [first, second] = await ops.read(logits);
    logits.forEach((tensor) => tensor.dispose());
    for (let i = 0; i < first.length; i++) {
      const difference = Math.abs(first[i] - second[i]);
      // Written so that NaN does not pass for a small difference.
      if (!(difference <= most)) most = difference;
      largest = Math.max(largest, Math.abs(first[i]));
    }
  }
  return { difference: most, largest };
}

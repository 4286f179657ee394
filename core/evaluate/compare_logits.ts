import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import { uploadBatch } from "../plugin/batch.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import { computeBatches } from "./compute_batches.ts";
import { infer } from "./predictions.ts";

/** How far the logits of two sets of weights are apart. */
export interface LogitComparison {
  /** The largest difference; NaN if any logit is. */
  readonly difference: number;
  /** The largest absolute logit. */
  readonly largest: number;
}

/** Compares the logits of two sets of weights on the first examples of a list. */
export async function compareLogits(
  ops: Ops,
  model: Model,
  a: Weights,
  b: Weights,
  examples: Examples,
  count: number,
): Promise<LogitComparison> {
  const indices = Uint32Array.from({ length: Math.min(count, examples.length) }, (_, index) => index);
  const computed = computeBatches(examples, [indices], (indices) =>
    ops.scope(() => {
      const batch = uploadBatch(ops, examples, indices);
      return [infer(ops, model, a, batch).logits, infer(ops, model, b, batch).logits];
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

import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { OutputShapes } from "../plugin/loss.ts";
import type { Model } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";
import { infer, uploadBatch } from "./evaluate.ts";

/** The shapes of what a model gives for one example. */
export function outputShapes(ops: Ops, model: Model, weights: () => Weights, examples: Examples): OutputShapes {
  return ops.scope(() => {
    const batch = uploadBatch(ops, examples, Uint32Array.of(0));
    const named = (tensors: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
    const outputs = model.forward({ ops, weights: weights(), batch, training: false, randomSeed: () => 0 });
    return {
      features: named(outputs.features),
      hidden: outputs.hidden.map(({ shape }) => shape),
      attention: outputs.attention.map(({ shape }) => shape),
      pooled: outputs.pooled.shape,
      ...(outputs.transitions && { transitions: outputs.transitions.shape }),
      ...(outputs.scores && { scores: outputs.scores.map(({ shape }) => shape) }),
      ...(outputs.relations && { relations: outputs.relations.map(({ queries }) => queries.shape) }),
      ...(outputs.subclassLogits && { subclassLogits: outputs.subclassLogits.shape }),
      ...(outputs.headLogits && { headLogits: named(outputs.headLogits) }),
    };
  });
}

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
  const logits = ops.scope(() => {
    const batch = uploadBatch(ops, examples, indices);
    return [infer(ops, model, a, batch).logits, infer(ops, model, b, batch).logits];
  });
  const [first, second] = await ops.read(logits);
  logits.forEach((tensor) => tensor.dispose());
  let [most, largest] = [0, 0];
  for (let i = 0; i < first.length; i++) {
    const difference = Math.abs(first[i] - second[i]);
    // Written so that NaN does not pass for a small difference.
    if (!(difference <= most)) most = difference;
    largest = Math.max(largest, Math.abs(first[i]));
  }
  return { difference: most, largest };
}

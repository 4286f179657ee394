import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import { batchFor, upload } from "../plugin/batch.ts";
import type { Examples } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import { mapOutputs, type OutputShapes } from "../plugin/output_tree.ts";

/** The shapes of what a model gives for one example. */
export function outputShapes(ops: Ops, model: Model, weights: () => Weights, examples: Examples): OutputShapes {
  return ops.scope(() => {
    const batch = upload(ops, batchFor(model, examples.batch(Uint32Array.of(0))));
    const outputs = model.forward({ ops, weights: weights(), batch, training: false, randomSeed: () => 0 });
    return mapOutputs(outputs, ({ shape }) => shape);
  });
}

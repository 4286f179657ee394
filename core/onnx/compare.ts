import { infer } from "../evaluate/predictions.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import { upload } from "../plugin/batch.ts";
import type { Batch, HostTensor } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import { showShape } from "../tensor.ts";
import type { OnnxModel } from "./run_model.ts";

/** How far onnxruntime's logits are from the model's own, and what both took. */
export interface OnnxComparison {
  /** The largest difference; NaN if any logit is. */
  readonly difference: number;
  /** The largest absolute logit of the model's own. */
  readonly largest: number;
  /** Examples that were compared. */
  readonly examples: number;
  /** Milliseconds for an example of the fastest batch: in onnxruntime on one thread, and here. */
  readonly milliseconds: { readonly onnx: number; readonly own: number };
}

/** Runs an ONNX file and the model that it was made of on the same batches. */
export async function compareWithOnnx(
  ops: Ops,
  model: Model,
  weights: Weights,
  onnx: OnnxModel,
  batches: readonly Batch<HostTensor>[],
): Promise<OnnxComparison> {
  let [difference, largest, examples] = [0, 0, 0];
  const least = { onnx: Infinity, own: Infinity };
  // Both take their time when they run for the first time: the first batch is computed twice.
  for (const [index, batch] of [batches[0], ...batches].entries()) {
    const begun = performance.now();
    const theirs = onnx.run(batch).get(onnx.output)!;
    const between = performance.now();
    const logits = ops.scope(() => infer(ops, model, weights, upload(ops, batch)).logits);
    const [own] = await ops.read([logits]);
    const ended = performance.now();
    logits.dispose();
    const same = showShape(theirs.shape) === showShape(logits.shape);
    if (index === 0 && same) continue;
    own.forEach((value, place) => {
      const apart = same ? Math.abs(value - theirs.data[place]) : NaN;
      // Written so that NaN does not pass for a small difference.
      if (!(apart <= difference)) difference = apart;
      largest = Math.max(largest, Math.abs(value));
    });
    const [count] = logits.shape;
    examples += count;
    least.onnx = Math.min(least.onnx, (between - begun) / count);
    least.own = Math.min(least.own, (ended - between) / count);
  }
  return { difference, largest, examples, milliseconds: least };
}

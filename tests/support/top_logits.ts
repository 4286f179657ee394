import { condensing, topLogitsTree } from "../../core/distill/teacher/top_logits.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { TopLogits } from "../../core/plugin/model.ts";
import { outputsFrom } from "../../core/plugin/output_tree.ts";

/** What is kept of logits `[..., classes]`, as a loss gets it. */
export function topLogits(
  ops: Ops,
  logits: { readonly data: Float32Array | Float64Array; readonly shape: readonly number[] },
  count: number,
  temperatures: readonly number[],
): TopLogits {
  const setup = { count, classes: logits.shape.at(-1)!, temperatures };
  const kept = condensing(setup).numbers(new Map([["logits", logits]]));
  const tree = { topLogits: topLogitsTree(setup) };
  const outputs = outputsFrom(tree, (name) => {
    const { data, shape } = kept.get(name)!;
    return ops.tensor(data, shape);
  });
  return outputs.topLogits!;
}

import type { ForwardCall } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { BlockNames, BlockOutputs, BlockSettings } from "./block.ts";
import type { Layers } from "./layers.ts";

/** What self-attention gives: its context `[batch, length, width]`, and what losses compare. */
export type Attended = Omit<BlockOutputs, "hidden"> & { readonly context: Tensor };

/** Scaled dot-product self-attention in several heads: softmax(Q K^T / sqrt(d)) V, up to the layer that joins the heads. */
export function attend(
  { ops }: ForwardCall,
  layers: Layers,
  names: BlockNames,
  { heads, attentionDropout }: BlockSettings,
  x: Tensor,
  mask: Tensor | null,
): Attended {
  const [batch, length, width] = x.shape;
  const headWidth = width / heads;
  const split = (name: string) => {
    const vectors = ops.reshape(layers.linear(x, name), [batch, length, heads, headWidth]);
    return ops.permute(vectors, [0, 2, 1, 3]); // [batch, heads, length, headWidth]
  };
  const [queries, keys, values] = [split(names.query), split(names.key), split(names.value)];
  // The queries are scaled rather than the scores: there are fewer of them.
  const scaled = ops.scale(queries, 1 / Math.sqrt(headWidth));
  const scores = ops.matmul(scaled, keys, { transposeB: true }); // [batch, heads, length, length]
  const attention = mask ? ops.maskedSoftmax(scores, mask) : ops.softmax(scores);
  const context = ops.matmul(layers.dropout(attention, attentionDropout), values);
  const joined = ops.reshape(ops.permute(context, [0, 2, 1, 3]), [batch, length, width]);
  return { context: joined, attention, scores, vectors: { queries, keys, values } };
}

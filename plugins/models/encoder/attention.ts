import type { Ops } from "../../../core/ops/ops.ts";
import type { ForwardCall, LayerOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { BlockNames, BlockSettings } from "./block.ts";
import { type Layers, wants } from "./layers.ts";

/**
 * What self-attention gives: its context `[batch, length, width]`, and of what losses compare that which is wanted.
 * Attention is the probabilities before dropout, scores are those before the softmax, nothing hidden.
 */
export type Attended = Omit<LayerOutputs, "hidden"> & { readonly context: Tensor };

/**
 * Scaled dot-product self-attention in several heads: softmax(Q K^T / sqrt(d)) V, up to the layer that joins the heads.
 *
 * @param bias added to the scores, `[1, heads, length, length]`; `null`: nothing
 */
export function attend(
  call: ForwardCall,
  layers: Layers,
  names: BlockNames,
  { heads, attentionDropout }: BlockSettings,
  x: Tensor,
  mask: Tensor | null,
  bias: Tensor | null,
): Attended {
  const { ops } = call;
  const [batch, length, width] = x.shape;
  const headWidth = width / heads;
  // To [batch, heads, length, headWidth].
  const split = (vectors: Tensor) => ops.permute(ops.reshape(vectors, [batch, length, heads, headWidth]), [0, 2, 1, 3]);
  const [queries, keys, values] = ops.scope(() => project(ops, layers, names, x).map(split));
  const { attention, scores } = ops.scope(() => {
    // The queries are scaled rather than the scores: there are fewer of them.
    const scaled = ops.scale(queries, 1 / Math.sqrt(headWidth));
    const products = ops.matmul(scaled, keys, { transposeB: true }); // [batch, heads, length, length]
    const scores = bias ? ops.add(products, bias) : products;
    const attention = mask ? ops.maskedSoftmax(scores, mask) : ops.softmax(scores);
    return { attention, ...(wants(call, "scores") && { scores }) };
  });
  const context = ops.matmul(layers.dropout(attention, attentionDropout), values);
  const joined = ops.reshape(ops.permute(context, [0, 2, 1, 3]), [batch, length, width]);
  return {
    context: joined,
    ...(wants(call, "attention") && { attention }),
    ...(scores && { scores }),
    ...(wants(call, "relations") && { relations: { queries, keys, values } }),
  };
}

/** Queries, keys and values with all heads side by side, each `[batch, length, width]`. */
function project(ops: Ops, layers: Layers, { query, key, value, fused }: BlockNames, x: Tensor): Tensor[] {
  if (fused === undefined) return [query, key, value].map((name) => layers.linear(x, name));
  const width = x.shape[2];
  const joined = layers.linear(x, fused); // [batch, length, 3 width]
  return [0, 1, 2].map((part) => ops.slice(joined, { axis: 2, begin: part * width, length: width }));
}

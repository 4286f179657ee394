import type { ForwardCall, LayerOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { attend } from "./attention.ts";
import { type Layers, layersOf } from "./layers.ts";
import { inParts } from "./parts.ts";

/** The names of a block's layers: of each, `NAME.weight` and `NAME.bias`. */
export interface BlockNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** One layer in place of these three: `[3 width, width]`, queries first, values last. */
  readonly fused?: string;
  /** The linear layer behind attention. */
  readonly attentionOutput: string;
  /** The layer norm of the attention sub-layer. */
  readonly attentionNorm: string;
  /** The first linear layer of the feed-forward network, to the inner width. */
  readonly up: string;
  /** The second one, back to the width. */
  readonly down: string;
  /** The layer norm of the feed-forward sub-layer. */
  readonly outputNorm: string;
}

/** Functions between the two linear layers of a feed-forward network, under Hugging Face's names. */
export const ACTIVATIONS = { gelu: "gelu", gelu_new: "geluTanh", relu: "relu" } as const;

/** How a block computes. */
export interface BlockSettings {
  readonly heads: number;
  readonly activation: keyof typeof ACTIVATIONS;
  /** Layer norm after each residual sum (BERT), or before each sub-layer (ViT). */
  readonly norm: "after" | "before";
  /** Added to the variance in layer norm. */
  readonly epsilon: number;
  /** Rate of dropout of what each sub-layer adds. */
  readonly dropout: number;
  /** Rate of dropout of attention probabilities. */
  readonly attentionDropout: number;
}

/**
 * A transformer encoder block (Vaswani et al. 2017, arXiv 1706.03762): self-attention and a feed-forward network, each
 * with a residual connection and a layer norm. Where a tensor on the way would be too large for the backend, the batch
 * is gone through in parts, and attention and scores are given only if they are not too large themselves.
 *
 * @param x `[batch, length, width]`
 * @param mask `[batch, length]`: 0 at what no token may attend to; `null`: everything is seen
 * @param bias added to the scores of attention, `[1, heads, length, length]`; `null`: nothing
 */
export function encoderBlock(
  call: ForwardCall,
  names: BlockNames,
  settings: BlockSettings,
  x: Tensor,
  mask: Tensor | null,
  bias: Tensor | null = null,
): LayerOutputs {
  const [, length, width] = x.shape;
  const [inner] = call.weights.get(`${names.up}.weight`).shape;
  const projected = names.fused === undefined ? width : 3 * width;
  const largest = length * Math.max(settings.heads * length, inner, projected);
  return inParts(call, largest, x, mask, (x, mask) => wholeBlock(call, names, settings, x, mask, bias));
}

function wholeBlock(
  call: ForwardCall,
  names: BlockNames,
  settings: BlockSettings,
  x: Tensor,
  mask: Tensor | null,
  bias: Tensor | null,
): LayerOutputs {
  const { ops } = call;
  const layers = layersOf(call, settings.epsilon);
  const residual = (x: Tensor, norm: string, sublayer: (x: Tensor) => Tensor): Tensor => {
    const added = layers.dropout(sublayer(settings.norm === "before" ? layers.norm(x, norm) : x), settings.dropout);
    const sum = ops.add(x, added);
    return settings.norm === "before" ? sum : layers.norm(sum, norm);
  };
  // Where nothing is trained, attention's tensors are freed before the next sub-layer's, except those that are wanted.
  const first = ops.scope(() => {
    let attended: Omit<LayerOutputs, "hidden"> = {};
    const sum = residual(x, names.attentionNorm, (x) => {
      const { context, ...rest } = attend(call, layers, names, settings, x, mask, bias);
      attended = rest;
      return layers.linear(context, names.attentionOutput);
    });
    return { sum, attended };
  });
  const hidden = residual(first.sum, names.outputNorm, (x) => feedForward(call, layers, names, settings, x));
  return { hidden, ...first.attended };
}

function feedForward(
  { ops }: ForwardCall,
  layers: Layers,
  { up, down }: BlockNames,
  { activation }: BlockSettings,
  x: Tensor,
): Tensor {
  return layers.linear(ops[ACTIVATIONS[activation]](layers.linear(x, up)), down);
}

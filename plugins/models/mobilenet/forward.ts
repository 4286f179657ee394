import type { ForwardCall, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { activate, type Activation, behindNorm } from "../images/activations.ts";
import { normalise } from "../images/batch_norm.ts";
import { squeezeExcite } from "../images/squeeze_excitation.ts";
import type { Architecture, Block, Names } from "./architecture.ts";

/** A network's forward pass over images `[batch, height, width, channels]`. */
export function forward(architecture: Architecture, dropout: number, call: ForwardCall): ModelOutputs {
  const { stem, blocks, last, hidden: inFront, head, activation, norm } = architecture;
  const { ops, weights, training } = call;
  let x = step(call, norm, call.batch.image, stem.names, activation, { stride: stem.stride });
  const features: Record<string, Tensor> = { "features.0": x };
  const hidden: Tensor[] = [];
  for (const block of blocks) {
    x = call.replaceLayer?.(hidden.length, x)?.hidden ?? invertedResidual(call, norm, x, block);
    features[block.name] = x;
    hidden.push(x);
  }
  x = step(call, norm, x, last.names, activation);
  features[`features.${blocks.length + 1}`] = x;
  const means = ops.mean(x, { axes: [1, 2] }); // [batch, channels]
  const linear = (y: Tensor, name: string) => ops.linear(y, weights.get(`${name}.weight`), weights.get(`${name}.bias`));
  const pooled = inFront ? activate(ops, activation, linear(means, inFront.name)) : means;
  const kept = training && dropout > 0 ? ops.dropout(pooled, { rate: dropout, seed: call.randomSeed() }) : pooled;
  return { logits: linear(kept, head), features, hidden, attention: [], pooled };
}

/** A block: expanded, filtered channel by channel, squeezed and excited, projected, and added to what it got. */
export function invertedResidual(call: ForwardCall, norm: Architecture["norm"], x: Tensor, block: Block): Tensor {
  const { names, activation, expanded, stride, squeezed, inputs, outputs } = block;
  const wide = names.expand ? step(call, norm, x, names.expand, activation) : x;
  const filtered = step(call, norm, wide, names.depthwise, activation, { stride, groups: expanded });
  const excited = squeezed === null ? filtered : squeezeExcite(call, filtered, names.squeeze);
  const residual = stride === 1 && inputs === outputs ? x : undefined;
  return step(call, norm, excited, names.project, "none", { residual });
}

/** A convolution, its norm, and an activation. */
function step(
  call: ForwardCall,
  norm: Architecture["norm"],
  x: Tensor,
  names: Names,
  activation: Activation,
  { stride = 1, groups = 1, residual }: { stride?: number; groups?: number; residual?: Tensor } = {},
): Tensor {
  const { ops, weights } = call;
  const filter = weights.get(`${names.conv}.weight`);
  const y = ops.conv2d(x, filter, { stride, padding: Math.floor(filter.shape[2] / 2), groups });
  const { fused, left } = behindNorm(activation);
  return activate(ops, left, normalise(call, y, names.norm, { ...norm, activation: fused, residual }));
}

import type { ForwardCall, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { activate, type Activation, behindNorm } from "../images/activations.ts";
import { convolveNormalised, normalise } from "../images/batch_norm.ts";
import { squeezeExcite } from "../images/squeeze_excitation.ts";
import type { Architecture, Block, Names } from "./architecture.ts";

/** A network's forward pass over images `[batch, height, width, channels]`. */
export function forward(architecture: Architecture, dropout: number, call: ForwardCall): ModelOutputs {
  const { stem, blocks, last, hidden: inFront, head, activation } = architecture;
  const { ops, weights, training } = call;
  let x = step(call, architecture, call.batch.image, stem.names, activation, { stride: stem.stride });
  const features: Record<string, Tensor> = { [stem.name]: x };
  const hidden: Tensor[] = [];
  for (const block of blocks) {
    x = call.replaceLayer?.(hidden.length, x)?.hidden ?? invertedResidual(call, architecture, x, block);
    features[block.name] = x;
    hidden.push(x);
  }
  x = step(call, architecture, x, last.names, activation);
  features[last.name] = x;
  const means = ops.mean(x, { axes: [1, 2] }); // [batch, channels]
  const linear = (y: Tensor, name: string) => ops.linear(y, weights.get(`${name}.weight`), weights.get(`${name}.bias`));
  const pooled = inFront ? activate(ops, activation, linear(means, inFront.name)) : means;
  const kept = training && dropout > 0 ? ops.dropout(pooled, { rate: dropout, seed: call.randomSeed() }) : pooled;
  return { logits: linear(kept, head), features, hidden, attention: [], pooled };
}

/** What all layers of a network have in common. */
type Numbers = Pick<Architecture, "norm" | "padsSame">;

/** A block: expanded, filtered channel by channel, squeezed and excited, projected, and added to what it got. */
export function invertedResidual(call: ForwardCall, numbers: Numbers, x: Tensor, block: Block): Tensor {
  const { names, activation, expanded, stride, squeezed, inputs, outputs } = block;
  const wide = names.expand ? step(call, numbers, x, names.expand, activation) : x;
  const filtered = step(call, numbers, wide, names.depthwise, activation, { stride, groups: expanded });
  const excited = squeezed === null ? filtered : squeezeExcite(call, filtered, names.squeeze);
  const residual = stride === 1 && inputs === outputs ? x : undefined;
  return step(call, numbers, excited, names.project, "none", { residual });
}

/** A convolution, its norm, and an activation. */
function step(
  call: ForwardCall,
  { norm, padsSame = false }: Numbers,
  x: Tensor,
  names: Names,
  activation: Activation,
  { stride = 1, groups = 1, residual }: { stride?: number; groups?: number; residual?: Tensor } = {},
): Tensor {
  const { ops, weights } = call;
  const filter = weights.get(`${names.conv}.weight`);
  const { fused, left } = behindNorm(activation);
  const options = { ...norm, activation: fused, residual };
  const normalised = padsSame
    ? normalise(call, conv2dSame(ops, x, filter, { stride, groups }), names.norm, options)
    : convolveNormalised(call, x, names, { stride, groups, padding: Math.floor(filter.shape[2] / 2) }, options);
  return activate(ops, left, normalised);
}

/**
 * A convolution whose padding makes ceil(n / stride) pixels of n, TensorFlow's `SAME`: where the padding is odd, one
 * more pixel is behind than before. The stride is 1 or 2, and height and width are both even or both odd with 2.
 */
function conv2dSame(
  ops: ForwardCall["ops"],
  x: Tensor,
  filter: Tensor,
  { stride, groups }: { readonly stride: number; readonly groups: number },
): Tensor {
  const [, height, width] = x.shape;
  const all = Math.max(0, (Math.ceil(height / stride) - 1) * stride + filter.shape[2] - height);
  if (all % 2 === 0) return ops.conv2d(x, filter, { stride, groups, padding: all / 2 });
  // With a stride's worth more before, each window is where it should be, and there is one before the first.
  const wide = ops.conv2d(x, filter, { stride, groups, padding: (all - 1) / 2 + stride });
  const rows = ops.slice(wide, { axis: 1, begin: 1, length: height / stride });
  return ops.slice(rows, { axis: 2, begin: 1, length: width / stride });
}

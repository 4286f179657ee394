import type { ForwardCall, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { activate, behindNorm } from "../images/activations.ts";
import { convolveNormalised, normalise } from "../images/batch_norm.ts";
import { type Placed, type Stack, windowOf } from "./lay_out.ts";
import type { LinearLayer } from "./layers.ts";

/** A stack's forward pass over images `[batch, height, width, channels]`. */
export function forward({ layers, head }: Stack, call: ForwardCall): ModelOutputs {
  const { ops, weights, batch } = call;
  let x = batch.image;
  const features: Record<string, Tensor> = {};
  const hidden = layers.map((placed, index) => features[`layers.${index}`] = x = run(call, placed, x));
  const pooled = head.flattens ? flatten(call, x) : x;
  const logits = ops.linear(pooled, weights.get(`${head.module}.weight`), weights.get(`${head.module}.bias`));
  return { logits, features, hidden, attention: [], pooled };
}

function run(call: ForwardCall, { layer, module, flattens }: Placed, x: Tensor): Tensor {
  const { ops, weights, training } = call;
  if (layer.use === "global-pool") return ops.mean(x, { axes: [1, 2], keepDimensions: true });
  if (layer.use === "linear") {
    const vectors = flattens ? flatten(call, x) : x;
    const y = ops.linear(vectors, weights.get(`${module}.weight`), weights.get(`${module}.bias`));
    const active = behind(call, layer, module, y);
    const drops = training && layer.dropout > 0;
    return drops ? ops.dropout(active, { rate: layer.dropout, seed: call.randomSeed() }) : active;
  }
  const [, stride, padding] = windowOf(layer);
  if (layer.use === "conv") {
    const { dilation, groups } = layer;
    const convolution = { stride, padding, dilation, groups };
    if (layer.norm === "batch") {
      const { fused, left } = behindNorm(layer.activation);
      const names = { conv: `${module}`, norm: `${module + 1}` };
      return activate(ops, left, convolveNormalised(call, x, names, convolution, { activation: fused }));
    }
    const y = ops.conv2d(x, weights.get(`${module}.weight`), convolution);
    return activate(ops, layer.activation, ops.add(y, weights.get(`${module}.bias`)));
  }
  const pool = layer.use === "max-pool" ? ops.maxPool2d : ops.averagePool2d;
  return pool(x, { size: layer.size, stride, padding });
}

/** Norm and activation of a linear layer whose first module is that of a number. */
function behind(call: ForwardCall, { norm, activation }: LinearLayer, module: number, y: Tensor): Tensor {
  if (norm === "none") return activate(call.ops, activation, y);
  const { fused, left } = behindNorm(activation);
  return activate(call.ops, left, normalise(call, y, `${module + 1}`, { activation: fused }));
}

/** Images as vectors in PyTorch's order, channel by channel. */
function flatten({ ops }: ForwardCall, x: Tensor): Tensor {
  const [batch, height, width, channels] = x.shape;
  const isOrdered = channels === 1 || height * width === 1;
  return ops.reshape(isOrdered ? x : ops.permute(x, [0, 3, 1, 2]), [batch, -1]);
}

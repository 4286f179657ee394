import type { ForwardCall, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { convolveNormalised } from "../images/batch_norm.ts";
import { classLogits } from "../subclasses.ts";
import type { Architecture, Block, ResnetOptions } from "./architecture.ts";
import { convolutionsOf } from "./parameters.ts";
import { paddedShortcut } from "./shortcut.ts";

const RELU = { activation: "relu" } as const;

/** A residual network's forward pass over images `[batch, height, width, channels]`. */
export function forward(
  { stem, stages }: Architecture,
  { dropout, subclasses }: Pick<ResnetOptions, "dropout" | "subclasses">,
  call: ForwardCall,
): ModelOutputs {
  const { ops, weights, batch, training } = call;
  let x = convolve(call, batch.image, { conv: "conv1", norm: "bn1" }, stem === "cifar" ? 1 : 2, RELU);
  if (stem === "imagenet") x = ops.maxPool2d(x, { size: 3, stride: 2, padding: 1 });
  const features: Record<string, Tensor> = { conv1: x };
  const hidden: Tensor[] = [];
  for (const { name, blocks } of stages) {
    for (const block of blocks) {
      x = call.replaceLayer?.(hidden.length, x)?.hidden ?? residual(call, x, block);
      features[block.name] = x;
      hidden.push(x);
    }
    features[name] = x;
  }
  const pooled = ops.mean(x, { axes: [1, 2] }); // [batch, channels]
  const kept = training && dropout > 0 ? ops.dropout(pooled, { rate: dropout, seed: call.randomSeed() }) : pooled;
  const logits = ops.linear(kept, weights.get("fc.weight"), weights.get("fc.bias"));
  const outputs = { features, hidden, attention: [], pooled };
  if (subclasses === 1) return { logits, ...outputs };
  return { logits: classLogits(ops, logits, subclasses), subclassLogits: logits, ...outputs };
}

/** A residual block: its convolutions, each normalised, and the shortcut around them. */
export function residual(call: ForwardCall, x: Tensor, block: Block): Tensor {
  const shortcut = shortcutOf(call, x, block);
  const convolutions = convolutionsOf(block);
  return convolutions.reduce((y, { conv, norm, stride }, index) => {
    const last = index === convolutions.length - 1;
    return convolve(call, y, { conv, norm }, stride, last ? { ...RELU, residual: shortcut } : RELU);
  }, x);
}

function shortcutOf(call: ForwardCall, x: Tensor, block: Block): Tensor {
  if (block.shortcut === null) return x;
  if (block.shortcut !== "projection") return paddedShortcut(call.ops, x, block);
  const { name, stride } = block;
  return convolve(call, x, { conv: `${name}.downsample.0`, norm: `${name}.downsample.1` }, stride);
}

/** A convolution whose padding keeps the size but for its stride, and its norm. */
function convolve(
  call: ForwardCall,
  x: Tensor,
  names: { readonly conv: string; readonly norm: string },
  stride: number,
  options?: Parameters<typeof convolveNormalised>[4],
): Tensor {
  const padding = Math.floor(call.weights.get(`${names.conv}.weight`).shape[2] / 2);
  return convolveNormalised(call, x, names, { stride, padding }, options);
}

import type { ForwardCall, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { classLogits } from "../subclasses.ts";
import type { Architecture, Block, ResnetOptions } from "./architecture.ts";
import { convolutionsOf } from "./parameters.ts";

/** A residual network's forward pass over images `[batch, height, width, channels]`. */
export function forward(
  { stem, stages }: Architecture,
  { dropout, subclasses }: Pick<ResnetOptions, "dropout" | "subclasses">,
  call: ForwardCall,
): ModelOutputs {
  const { ops, weights, batch, training } = call;

  const convolve = (x: Tensor, name: string, stride: number) => {
    const filter = weights.get(`${name}.weight`);
    return ops.conv2d(x, filter, { stride, padding: Math.floor(filter.shape[2] / 2) });
  };
  /** Batch norm, then the residual if there is one, then relu unless told otherwise. */
  const normalise = (
    x: Tensor,
    name: string,
    { residual, relu = true }: { residual?: Tensor; relu?: boolean } = {},
  ) => {
    const runningMean = weights.get(`${name}.running_mean`);
    const runningVariance = weights.get(`${name}.running_var`);
    const options = { training, runningMean, runningVariance, relu };
    return ops.batchNorm(x, weights.get(`${name}.weight`), weights.get(`${name}.bias`), options, residual);
  };
  const residual = (x: Tensor, block: Block) => {
    const shortcut = block.projected
      ? normalise(convolve(x, `${block.name}.downsample.0`, block.stride), `${block.name}.downsample.1`, {
        relu: false,
      })
      : x;
    const convolutions = convolutionsOf(block);
    return convolutions.reduce((y, { conv, norm, stride }, index) => {
      const last = index === convolutions.length - 1;
      return normalise(convolve(y, conv, stride), norm, last ? { residual: shortcut } : {});
    }, x);
  };

  let x = normalise(convolve(batch.image, "conv1", stem === "cifar" ? 1 : 2), "bn1");
  if (stem === "imagenet") x = ops.maxPool2d(x, { size: 3, stride: 2, padding: 1 });
  const features: Record<string, Tensor> = { conv1: x };
  const hidden: Tensor[] = [];
  for (const { name, blocks } of stages) {
    for (const block of blocks) {
      x = residual(x, block);
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

import type { BatchNormOptions } from "../../../core/ops/batch_norm.ts";
import type { ForwardCall } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";

/** What follows batch norm in its pass, and numbers that differ from PyTorch's. */
interface Options extends Pick<BatchNormOptions, "activation" | "momentum" | "epsilon"> {
  /** Added before the activation. */
  readonly residual?: Tensor;
}

/** Batch norm over the last dimension, by the weights of a name. */
export function normalise(
  { ops, weights, training }: ForwardCall,
  x: Tensor,
  name: string,
  { residual, ...others }: Options = {},
): Tensor {
  const runningMean = weights.get(`${name}.running_mean`);
  const runningVariance = weights.get(`${name}.running_var`);
  const options = { training, runningMean, runningVariance, ...others };
  return ops.batchNorm(x, weights.get(`${name}.weight`), weights.get(`${name}.bias`), options, residual);
}

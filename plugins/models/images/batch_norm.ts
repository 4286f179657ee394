import type { BatchNormOptions } from "../../../core/ops/batch_norm.ts";
import type { ConvOptions } from "../../../core/ops/window.ts";
import type { ForwardCall } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";

/** What follows batch norm in its pass, and numbers that differ from PyTorch's. */
interface Options extends Pick<BatchNormOptions, "activation" | "momentum" | "epsilon"> {
  /** Added before the activation. */
  readonly residual?: Tensor;
}

/** What batch norm by the weights of a name is given behind the images. */
function normOf({ weights, training }: ForwardCall, name: string, { residual, ...others }: Options) {
  const runningMean = weights.get(`${name}.running_mean`);
  const runningVariance = weights.get(`${name}.running_var`);
  const options = { training, runningMean, runningVariance, ...others };
  return [weights.get(`${name}.weight`), weights.get(`${name}.bias`), options, residual] as const;
}

/** Batch norm over the last dimension, by the weights of a name. */
export function normalise(call: ForwardCall, x: Tensor, name: string, options: Options = {}): Tensor {
  return call.ops.batchNorm(x, ...normOf(call, name, options));
}

/** A convolution by the filter of one name, and batch norm by the weights of another. */
export function convolveNormalised(
  call: ForwardCall,
  x: Tensor,
  names: { readonly conv: string; readonly norm: string },
  convolution: ConvOptions,
  options: Options = {},
): Tensor {
  const filter = call.weights.get(`${names.conv}.weight`);
  return call.ops.convBatchNorm(x, filter, convolution, ...normOf(call, names.norm, options));
}

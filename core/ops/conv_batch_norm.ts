import type { Device } from "../device.ts";
import { convBatchNormKernel } from "../kernels/conv_batch_norm.ts";
import type { Tensor } from "../tensor.ts";
import { ACTIVATIONS, BATCH_NORM_EPSILON, type BatchNormOptions, checkBatchNorm } from "./batch_norm.ts";
import { convolutionOf, TO_KERNEL } from "./conv2d.ts";
import { partsByBlocks } from "./gemm.ts";
import { permuted } from "./strided.ts";
import type { ConvOptions } from "./window.ts";
import { suitsWinograd } from "./winograd.ts";

/**
 * Batch norm by given statistics of a convolution in one pass, as `batchNorm(conv2d(x, filter, convolution), weight,
 * bias, norm, residual)` gives it; `null` where there is no such pass: for groups and dilation, and where a GPU
 * computes the convolution in several passes itself.
 */
export function convBatchNorm(
  device: Device,
  x: Tensor,
  filter: Tensor,
  convolution: ConvOptions,
  weight: Tensor,
  bias: Tensor,
  { runningMean: mean, runningVariance: variance, epsilon = BATCH_NORM_EPSILON, activation }: BatchNormOptions,
  residual?: Tensor,
): Tensor | null {
  const { geometry, dilation, groups } = convolutionOf(x, filter, convolution);
  if (groups > 1 || dilation > 1 || suitsWinograd(device, geometry)) return null;
  const { images, outHeight, outWidth, outputs, inputs, kernelHeight, kernelWidth } = geometry;
  const parts = partsByBlocks(device, images * outHeight * outWidth, outputs, kernelHeight * kernelWidth * inputs);
  if (parts.parts > 1) return null;
  const shape = [images, outHeight, outWidth, outputs];
  checkBatchNorm(shape, [weight, bias, mean, variance], false, residual);
  return device.scope(() => {
    const filters = permuted(device, filter, TO_KERNEL);
    const y = device.empty(shape, device.formatOf(x));
    device.run(convBatchNormKernel, { x, filters, mean, variance, weight, bias, added: residual ?? x, y }, {
      ...geometry,
      ...parts,
      epsilon,
      residual: residual ? 1 : 0,
      activation: ACTIVATIONS[activation ?? "none"],
    });
    return y;
  });
}

import type { Device } from "../device.ts";
import {
  depthwiseFilterGradientKernel,
  type DepthwiseGeometry,
  depthwiseInputGradientKernel,
  depthwiseKernel,
} from "../kernels/depthwise.ts";
import type { NumberFormat } from "../backend/format.ts";
import { elementsOf } from "../kernels/elements.ts";
import type { Tensor } from "../tensor.ts";
import { rowParts } from "./row_parts.ts";
import { sumOver } from "./sum.ts";

/** The convolution of each channel with its own filter, of filters `[kernelHeight, kernelWidth, 1, channels]`. */
export function depthwiseForward(device: Device, p: DepthwiseGeometry, x: Tensor, filters: Tensor): Tensor {
  const y = device.empty([p.images, p.outHeight, p.outWidth, p.channels], device.formatOf(x));
  device.run(depthwiseKernel, { x, filters, y }, p);
  return y;
}

/** Its gradient with respect to x. */
export function depthwiseInputGradient(
  device: Device,
  p: DepthwiseGeometry,
  gradient: Tensor,
  filters: Tensor,
  format: NumberFormat,
): Tensor {
  const dx = device.empty([p.images, p.height, p.width, p.channels], format);
  device.run(depthwiseInputGradientKernel, { gradient, filters, dx }, p);
  return dx;
}

/** Its gradient with respect to the filters, in the order of the filters above. */
export function depthwiseFilterGradient(device: Device, p: DepthwiseGeometry, x: Tensor, gradient: Tensor): Tensor {
  const shape = [p.kernelHeight, p.kernelWidth, 1, p.channels];
  const vectors = p.kernelHeight * p.kernelWidth * elementsOf(p.channels).width;
  const parts = rowParts(device, p.images * p.outHeight, vectors);
  const partials = device.empty([parts.parts, ...shape]);
  device.run(depthwiseFilterGradientKernel, { x, gradient, partials }, { ...p, ...parts });
  return device.alias(parts.parts === 1 ? partials : sumOver(device, partials, new Set([0])), shape);
}

import type { Device } from "../device.ts";
import {
  depthwiseFilterGradientKernel,
  type DepthwiseGeometry,
  depthwiseInputGradientKernel,
  depthwiseKernel,
} from "../kernels/depthwise.ts";
import { elementsOf } from "../kernels/elements.ts";
import type { Tensor } from "../tensor.ts";
import { permuted } from "./strided.ts";
import { sumOver } from "./sum.ts";

/** The order of a stored filter's dimensions in the kernels: `[channels, 1, kh, kw]` to `[kh, kw, channels]`, and back. */
const TO_KERNEL = [2, 3, 1, 0];
const FROM_KERNEL = [3, 2, 0, 1];

/** A filter `[channels, 1, height, width]` as the kernels read it. */
export function arrangedDepthwise(device: Device, filter: Tensor): Tensor {
  return permuted(device, filter, TO_KERNEL);
}

/** The convolution of each channel with its own filter. */
export function depthwiseForward(device: Device, p: DepthwiseGeometry, x: Tensor, filters: Tensor): Tensor {
  const y = device.empty([p.images, p.outHeight, p.outWidth, p.channels]);
  device.run(depthwiseKernel, { x, filters, y }, p);
  return y;
}

/** Its gradient with respect to x. */
export function depthwiseInputGradient(
  device: Device,
  p: DepthwiseGeometry,
  gradient: Tensor,
  filters: Tensor,
): Tensor {
  const dx = device.empty([p.images, p.height, p.width, p.channels]);
  device.run(depthwiseInputGradientKernel, { gradient, filters, dx }, p);
  return dx;
}

/** Its gradient with respect to the filters, `[channels, 1, height, width]`. */
export function depthwiseFilterGradient(device: Device, p: DepthwiseGeometry, x: Tensor, gradient: Tensor): Tensor {
  const rows = p.images * p.outHeight;
  const taps = p.kernelHeight * p.kernelWidth;
  const wanted = Math.ceil((device.backend.traits?.enoughThreads ?? 1) / (taps * elementsOf(p.channels).width));
  const partRows = Math.max(1, Math.ceil(rows / wanted));
  const parts = Math.max(1, Math.ceil(rows / partRows));
  const partials = device.empty([parts, p.kernelHeight, p.kernelWidth, 1, p.channels]);
  device.run(depthwiseFilterGradientKernel, { x, gradient, partials }, { ...p, parts, partRows });
  const summed = parts === 1 ? partials : sumOver(device, partials, new Set([0]));
  return permuted(device, device.alias(summed, partials.shape.slice(1)), FROM_KERNEL);
}

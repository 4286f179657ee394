import type { Device } from "../device.ts";
import {
  groupedConvFilterGradientKernel,
  groupedConvInputGradientKernel,
  groupedConvKernel,
  type GroupedGeometry,
} from "../kernels/grouped_conv2d.ts";
import type { NumberFormat } from "../backend/format.ts";
import type { Tensor } from "../tensor.ts";
import { rowParts } from "./row_parts.ts";
import { sumOver } from "./sum.ts";

/** The convolution in groups, of filters `[kernelHeight, kernelWidth, inputs / groups, outputs]`. */
export function groupedForward(device: Device, p: GroupedGeometry, x: Tensor, filters: Tensor): Tensor {
  const y = device.empty([p.images, p.outHeight, p.outWidth, p.outputs], device.formatOf(x));
  device.run(groupedConvKernel, { x, filters, y }, p);
  return y;
}

/** Its gradient with respect to x. */
export function groupedInputGradient(
  device: Device,
  p: GroupedGeometry,
  gradient: Tensor,
  filters: Tensor,
  format: NumberFormat,
): Tensor {
  const dx = device.empty([p.images, p.height, p.width, p.inputs], format);
  device.run(groupedConvInputGradientKernel, { gradient, filters, dx }, p);
  return dx;
}

/** Its gradient with respect to the filters, in the order of the filters above. */
export function groupedFilterGradient(device: Device, p: GroupedGeometry, x: Tensor, gradient: Tensor): Tensor {
  const shape = [p.kernelHeight, p.kernelWidth, p.inputs / p.groups, p.outputs];
  const numbers = shape.reduce((product, extent) => product * extent);
  const parts = rowParts(device, p.images * p.outHeight, numbers);
  const partials = device.empty([parts.parts, ...shape]);
  device.run(groupedConvFilterGradientKernel, { x, gradient, partials }, { ...p, ...parts });
  return device.alias(parts.parts === 1 ? partials : sumOver(device, partials, new Set([0])), shape);
}

import type { NumberFormat } from "../backend/format.ts";
import type { Kernel } from "../backend/kernel.ts";
import type { Device } from "../device.ts";
import type { ConvGeometry } from "../kernels/conv_geometry.ts";
import { depthwiseFilterGradientKernel, depthwiseInputGradientKernel, depthwiseKernel } from "../kernels/depthwise.ts";
import { elementsOf } from "../kernels/elements.ts";
import {
  groupedConvFilterGradientKernel,
  groupedConvInputGradientKernel,
  groupedConvKernel,
} from "../kernels/grouped_conv2d.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { rowParts, sumOfParts } from "./row_parts.ts";

/** A convolution by kernels of which each thread sums over the taps of its own numbers. */
export interface TapConvolution<Parameter extends string> {
  readonly geometry: ConvGeometry;
  readonly parameters: Readonly<Record<Parameter, number>>;
  readonly forward: Kernel<"x" | "filters" | "y", Parameter>;
  readonly inputGradient: Kernel<"gradient" | "filters" | "dx", Parameter>;
  readonly filterGradient: Kernel<"x" | "gradient" | "partials", Parameter | "parts" | "partRows">;
  /** The filters' shape `[kernelHeight, kernelWidth, inputs / groups, outputs]`. */
  readonly filters: readonly number[];
  /** Numbers of them, or vectors, that a thread each sums. */
  readonly results: number;
}

/** Of each channel with its own filter. */
export function depthwise(geometry: ConvGeometry, dilation: number) {
  const { kernelHeight, kernelWidth, inputs: channels } = geometry;
  return {
    geometry,
    parameters: { ...geometry, channels, dilation },
    forward: depthwiseKernel,
    inputGradient: depthwiseInputGradientKernel,
    filterGradient: depthwiseFilterGradientKernel,
    filters: [kernelHeight, kernelWidth, 1, channels],
    results: kernelHeight * kernelWidth * elementsOf(channels).width,
  };
}

/** Of the channels of each group, and of all channels where the taps lie apart. */
export function grouped(geometry: ConvGeometry, dilation: number, groups: number) {
  const { kernelHeight, kernelWidth, inputs, outputs } = geometry;
  const filters = [kernelHeight, kernelWidth, inputs / groups, outputs];
  return {
    geometry,
    parameters: { ...geometry, dilation, groups },
    forward: groupedConvKernel,
    inputGradient: groupedConvInputGradientKernel,
    filterGradient: groupedConvFilterGradientKernel,
    filters,
    results: sizeOf(filters),
  };
}

/** y `[images, outHeight, outWidth, outputs]` of x and filters. */
export function tapForward<Parameter extends string>(
  device: Device,
  { geometry: p, parameters, forward }: TapConvolution<Parameter>,
  x: Tensor,
  filters: Tensor,
): Tensor {
  const y = device.empty([p.images, p.outHeight, p.outWidth, p.outputs], device.formatOf(x));
  device.run(forward, { x, filters, y }, parameters);
  return y;
}

/** d loss / d x of d loss / d y. */
export function tapInputGradient<Parameter extends string>(
  device: Device,
  { geometry: p, parameters, inputGradient }: TapConvolution<Parameter>,
  gradient: Tensor,
  filters: Tensor,
  format: NumberFormat,
): Tensor {
  const dx = device.empty([p.images, p.height, p.width, p.inputs], format);
  device.run(inputGradient, { gradient, filters, dx }, parameters);
  return dx;
}

/** d loss / d filters, in their order. */
export function tapFilterGradient<Parameter extends string>(
  device: Device,
  { geometry: p, parameters, filterGradient, filters, results }: TapConvolution<Parameter>,
  x: Tensor,
  gradient: Tensor,
): Tensor {
  const parts = rowParts(device, p.images * p.outHeight, results);
  const partials = device.empty([parts.parts, ...filters]);
  device.run(filterGradient, { x, gradient, partials }, { ...parameters, ...parts });
  return sumOfParts(device, partials, filters);
}

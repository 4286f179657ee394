import filterShader from "../../shaders/depthwise_filter_gradient.wgsl" with { type: "text" };
import forwardShader from "../../shaders/depthwise.wgsl" with { type: "text" };
import inputShader from "../../shaders/depthwise_input_gradient.wgsl" with { type: "text" };
import type { AdapterTraits } from "../backend/kernel.ts";
import { filterGradientLoop, forwardLoop, inputGradientLoop } from "./depthwise_loops.ts";
import { elementsOf } from "./elements.ts";
import { defineKernel, type VariedLaunch } from "./kernel.ts";
import { linear } from "./launch.ts";

/** Images and filters: extents in pixels and channels, a stride and a dilation of 1 or more. */
const parameters = {
  images: "u32",
  height: "u32",
  width: "u32",
  channels: "u32",
  outHeight: "u32",
  outWidth: "u32",
  kernelHeight: "u32",
  kernelWidth: "u32",
  stride: "u32",
  padding: "u32",
  dilation: "u32",
} as const;

/** `images` of `height` x `width` x `channels` become `outHeight` x `outWidth` x `channels`. */
export type DepthwiseGeometry = Readonly<Record<keyof typeof parameters, number>>;

/** A multiply-add for each tap of each number of the result. */
const operations = (p: DepthwiseGeometry) =>
  2 * p.images * p.outHeight * p.outWidth * p.channels * p.kernelHeight * p.kernelWidth;

/** A launch with a thread for each vector of neighbouring channels, of so many places. */
function perVector(shader: string, places: number, channels: number, adapter: AdapterTraits): VariedLaunch {
  const { lanes, width } = elementsOf(channels);
  return { shader, lanes, workgroups: linear(places * width, adapter) };
}

/** y `[images, outHeight, outWidth, channels]` of x and filters `[kernelHeight, kernelWidth, channels]`. */
export const depthwiseKernel = defineKernel({
  name: "depthwise conv2d",
  reads: { x: "Element", filters: "Element" },
  writes: { y: "Element" },
  parameters,
  launch: (p, adapter) => perVector(forwardShader, p.images * p.outHeight * p.outWidth, p.channels, adapter),
  operations,
  cpu({ x, filters, y }, p, wasm) {
    if (wasm) wasm.kernels.depthwiseForward(p, x.byteOffset, filters.byteOffset, y.byteOffset);
    else forwardLoop(p, x, filters, y);
  },
});

/** d loss / d x of d loss / d y and the filters. */
export const depthwiseInputGradientKernel = defineKernel({
  name: "depthwise conv2d input gradient",
  reads: { gradient: "Element", filters: "Element" },
  writes: { dx: "Element" },
  parameters,
  launch: (p, adapter) => perVector(inputShader, p.images * p.height * p.width, p.channels, adapter),
  operations,
  cpu({ gradient, filters, dx }, p, wasm) {
    if (wasm) wasm.kernels.depthwiseInputGradient(p, gradient.byteOffset, filters.byteOffset, dx.byteOffset);
    else inputGradientLoop(p, gradient, filters, dx);
  },
});

/**
 * d loss / d filters in parts `[parts, kernelHeight, kernelWidth, channels]`, to be summed: part i is that of the
 * `partRows` rows of output pixels, counted through all images, from i * partRows on.
 */
export const depthwiseFilterGradientKernel = defineKernel({
  name: "depthwise conv2d filter gradient",
  reads: { x: "Element", gradient: "Element" },
  writes: { partials: "Element" },
  parameters: { ...parameters, parts: "u32", partRows: "u32" },
  launch: (p, adapter) => perVector(filterShader, p.parts * p.kernelHeight * p.kernelWidth, p.channels, adapter),
  operations,
  cpu({ x, gradient, partials }, p, wasm) {
    if (wasm && p.parts === 1) {
      const { kernels, scratch } = wasm;
      const pointers = [x, gradient, partials].map(({ byteOffset }) => byteOffset) as [number, number, number];
      kernels.depthwiseFilterGradient(p, ...pointers, scratch(kernels.depthwiseScratch(p)));
    } else filterGradientLoop(p, p.partRows, x, gradient, partials);
  },
});

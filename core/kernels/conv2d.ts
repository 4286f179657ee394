import filterShader from "../../shaders/conv2d_filter_gradient.wgsl" with { type: "text" };
import shader from "../../shaders/conv2d.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";
import { filterGradientLoop, forwardLoop, inputGradientLoop } from "./conv2d_loops.ts";
import { fillHoles, type Lanes } from "./header.ts";
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";
import { tileCount, withTiles } from "./tile.ts";

const forwardShader = withTiles(
  { right: "filters", result: "y" },
  fillHoles(shader, { SOURCE: "x", RESULT: "y" }),
);
const inputShader = withTiles(
  { right: "filters", result: "dx" },
  fillHoles(shader, { SOURCE: "gradient", RESULT: "dx" }),
);
const gradientOfFilter = withTiles({ right: "gradient", result: "partials" }, filterShader);

/** The images and the filter of a convolution: extents in pixels and channels, a stride of 1 or more. */
const parameters = {
  images: "u32",
  height: "u32",
  width: "u32",
  inputs: "u32",
  outHeight: "u32",
  outWidth: "u32",
  outputs: "u32",
  kernelHeight: "u32",
  kernelWidth: "u32",
  stride: "u32",
  padding: "u32",
} as const;

/** `images` of `height` x `width` x `inputs` become `outHeight` x `outWidth` x `outputs`. */
export type ConvGeometry = Readonly<Record<keyof typeof parameters, number>>;

/** A multiply-add for each tap of each channel, of either direction. */
const operations = (p: ConvGeometry) =>
  2 * p.images * p.outHeight * p.outWidth * p.outputs * p.inputs * p.kernelHeight * p.kernelWidth;

/** Whole rows of vectors can be read and written where there are these many channels. */
const lanesFor = (channels: number): Lanes => channels % 4 === 0 ? 4 : 1;

/** y `[images, outHeight, outWidth, outputs]` of x and filters `[kernelHeight, kernelWidth, inputs, outputs]`. */
export const convForwardKernel = defineKernel({
  name: "conv2d",
  reads: { x: "f32", filters: "Element" },
  writes: { y: "Element" },
  parameters,
  launch(p, adapter) {
    const lanes = lanesFor(p.outputs);
    const tiles = tileCount(p.images * p.outHeight * p.outWidth, p.outputs);
    return { shader: forwardShader[lanes], lanes, entryPoint: "forward", workgroups: linear(tiles, adapter) };
  },
  operations,
  cpu({ x, filters, y }, p, wasm) {
    if (wasm) runFast(wasm, "convForward", p, [x, filters, y]);
    else forwardLoop(p, x, filters, y);
  },
});

/** d loss / d x `[images, height, width, inputs]` of d loss / d y and the filters. */
export const convInputGradientKernel = defineKernel({
  name: "conv2d input gradient",
  reads: { gradient: "f32", filters: "Element" },
  writes: { dx: "Element" },
  parameters,
  launch(p, adapter) {
    // Pixels go by their position modulo the stride, so every class gets threads of its own.
    const classPixels = p.images * Math.ceil(p.height / p.stride) * Math.ceil(p.width / p.stride);
    const tiles = p.stride ** 2 * tileCount(classPixels, p.inputs);
    // The outputs' channels lie side by side in the filters, and it is they that are summed over.
    return { shader: inputShader[1], lanes: 1, entryPoint: "inputGradient", workgroups: linear(tiles, adapter) };
  },
  operations,
  cpu({ gradient, filters, dx }, p, wasm) {
    if (wasm) runFast(wasm, "convInputGradient", p, [gradient, filters, dx]);
    else inputGradientLoop(p, gradient, filters, dx);
  },
});

/**
 * d loss / d filters in parts `[parts, kernelHeight, kernelWidth, inputs, outputs]`, to be summed: part i is that of
 * the `partRows` rows of output pixels, counted through all images, from i * partRows on.
 */
export const convFilterGradientKernel = defineKernel({
  name: "conv2d filter gradient",
  reads: { x: "f32", gradient: "Element" },
  writes: { partials: "Element" },
  parameters: { ...parameters, parts: "u32", partRows: "u32" },
  launch(p, adapter) {
    const lanes = lanesFor(p.outputs);
    const tiles = p.parts * tileCount(p.kernelHeight * p.kernelWidth * p.inputs, p.outputs);
    return { shader: gradientOfFilter[lanes], lanes, workgroups: linear(tiles, adapter) };
  },
  operations,
  cpu({ x, gradient, partials }, p, wasm) {
    // The SIMD kernel sums over whole images, which is all that the cpu backend ever asks for.
    if (wasm && p.parts === 1) runFast(wasm, "convFilterGradient", p, [x, gradient, partials.fill(0)]);
    else filterGradientLoop(p, p.partRows, x, gradient, partials);
  },
});

function runFast(
  { kernels, scratch }: WasmRuntime,
  name: "convForward" | "convInputGradient" | "convFilterGradient",
  p: ConvGeometry,
  [from, by, to]: readonly Floats[],
): void {
  kernels[name](p, from.byteOffset, by.byteOffset, to.byteOffset, scratch(kernels.convScratch(p)), 0, p.images);
}

import filterShader from "../../shaders/conv2d_filter_gradient.wgsl" with { type: "text" };
import shader from "../../shaders/conv2d.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";
import { filterGradientLoop, forwardLoop, inputGradientLoop } from "./conv2d_loops.ts";
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";
import { tileCount, withTiles } from "./tile.ts";

const convolve = withTiles(shader);
const gradientOfFilter = withTiles(filterShader);

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

/** y `[images, outHeight, outWidth, outputs]` of x and a filter `[kernelHeight, kernelWidth, inputs, outputs]`. */
export const convForwardKernel = defineKernel({
  name: "conv2d",
  reads: ["x", "filter"],
  writes: ["y"],
  parameters,
  launch: (p, adapter) => ({
    code: p.outputs % 4 === 0 ? convolve.vectors : convolve.scalars,
    entryPoint: "forward",
    workgroups: linear(tileCount(p.images * p.outHeight * p.outWidth, p.outputs), adapter),
  }),
  cpu: ({ x, filter, y }: Record<"x" | "filter" | "y", Floats>, p, wasm) => {
    if (wasm) runFast(wasm, "convForward", p, [x, filter, y]);
    else forwardLoop(p, x, filter, y);
  },
});

/** d loss / d x `[images, height, width, inputs]` of d loss / d y and the filter. */
export const convInputGradientKernel = defineKernel({
  name: "conv2d input gradient",
  reads: ["gradient", "filter"],
  writes: ["dx"],
  parameters,
  launch: (p, adapter) => {
    // Pixels go by their position modulo the stride, so every class gets threads of its own.
    const classPixels = p.images * Math.ceil(p.height / p.stride) * Math.ceil(p.width / p.stride);
    return {
      code: convolve.scalars,
      entryPoint: "inputGradient",
      workgroups: linear(p.stride ** 2 * tileCount(classPixels, p.inputs), adapter),
    };
  },
  cpu: ({ gradient, filter, dx }: Record<"gradient" | "filter" | "dx", Floats>, p, wasm) => {
    if (wasm) runFast(wasm, "convInputGradient", p, [gradient, filter, dx]);
    else inputGradientLoop(p, gradient, filter, dx);
  },
});

/**
 * d loss / d filter in parts `[parts, kernelHeight, kernelWidth, inputs, outputs]`, to be summed: part i is that of the
 * `partRows` rows of output pixels, counted through all images, from i * partRows on.
 */
export const convFilterGradientKernel = defineKernel({
  name: "conv2d filter gradient",
  reads: ["x", "gradient"],
  writes: ["partial"],
  parameters: { ...parameters, parts: "u32", partRows: "u32" },
  launch: (p, adapter) => ({
    code: p.outputs % 4 === 0 ? gradientOfFilter.vectors : gradientOfFilter.scalars,
    entryPoint: "main",
    workgroups: linear(p.parts * tileCount(p.kernelHeight * p.kernelWidth * p.inputs, p.outputs), adapter),
  }),
  cpu: ({ x, gradient, partial }: Record<"x" | "gradient" | "partial", Floats>, p, wasm) => {
    // The SIMD kernel sums over whole images, which is all that the cpu backend ever asks for.
    if (wasm && p.parts === 1) runFast(wasm, "convFilterGradient", p, [x, gradient, partial.fill(0)]);
    else filterGradientLoop(p, p.partRows, x, gradient, partial);
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

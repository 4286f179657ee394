import filterShader from "../../shaders/conv2d_filter_gradient.wgsl" with { type: "text" };
import shader from "../../shaders/conv2d.wgsl" with { type: "text" };
import direction from "../../shaders/conv2d_direction.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import type { AdapterTraits } from "../backend/kernel.ts";
import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";
import { blockCount, blockFor } from "./block.ts";
import { filterGradientShader, forwardShaders, inputGradientShader, ROW_BYTES } from "./conv2d_blocks.ts";
import { filterGradientLoop, forwardLoop, inputGradientLoop } from "./conv2d_loops.ts";
import { type ConvGeometry, convOperations, convParameters } from "./conv_geometry.ts";
import { fillHoles, lanesOf } from "./header.ts";
import { defineKernel } from "./kernel.ts";
import { inGroups, linear } from "./launch.ts";
import { type Stores, tileCount, withTiles } from "./tile.ts";

const inputTiles = withTiles(
  { right: "filters", result: "dx" },
  direction,
  fillHoles(shader, { SOURCE: "gradient", RESULT: "dx" }),
);
const filterTiles = withTiles({ right: "gradient", result: "partials" }, filterShader);

/** Of the sum over taps and channels, part i is that of the `partDepth` from i * partDepth on. */
export const inParts = { ...convParameters, parts: "u32", partDepth: "u32" } as const;

/** A convolution whose sums are cut into parts. */
export type ConvInParts = Readonly<Record<keyof typeof inParts, number>>;

/** Only blocks can be cut into parts: the tiles of a software adapter are many enough. */
function refuseParts({ parts }: { readonly parts: number }): void {
  if (parts !== 1) throw new Error(`Cannot cut a convolution's sum into ${parts} parts on a software adapter`);
}

/** Vectors of channels can be read where they come in fours in each part of the sum over them. */
function alongLanes(channels: number, { parts, partDepth }: { readonly parts: number; readonly partDepth: number }) {
  return lanesOf(channels, parts === 1 ? channels : partDepth);
}

/** The block for a product of so many slices, and the workgroups that compute it. */
function blocksOf(rows: number, columns: number, slices: number, adapter: AdapterTraits) {
  const block = blockFor(rows, columns, slices, adapter, ROW_BYTES);
  return { block, workgroups: inGroups(blockCount(block, rows, columns) * slices, adapter) };
}

/** The launches of a convolution of x with filters to y, which is written as `store` says. */
export function forwardLaunches(store?: Stores) {
  const tiles = withTiles(
    { right: "filters", result: "y", store },
    direction,
    fillHoles(shader, { SOURCE: "x", RESULT: "y" }),
  );
  const blocks = forwardShaders(store);
  return (p: ConvInParts, adapter: AdapterTraits) => {
    const pixels = p.images * p.outHeight * p.outWidth;
    const lanes = lanesOf(p.outputs);
    if (adapter.software) {
      refuseParts(p);
      return {
        shader: tiles[lanes],
        lanes: { x: 1, filters: lanes, y: lanes } as const,
        entryPoint: "forward",
        workgroups: linear(tileCount(pixels, p.outputs), adapter),
      };
    }
    const { block, workgroups } = blocksOf(pixels, p.outputs, p.parts, adapter);
    const blockLanes = { x: alongLanes(p.inputs, p), filters: lanes, y: lanes };
    return { shader: blocks(block, blockLanes), lanes: blockLanes, entryPoint: "tiled", workgroups };
  };
}

/**
 * y `[parts, images, outHeight, outWidth, outputs]`, to be summed, of x and filters
 * `[kernelHeight, kernelWidth, inputs, outputs]`.
 */
export const convForwardKernel = defineKernel({
  name: "conv2d",
  reads: { x: "Element", filters: "Element" },
  writes: { y: "Element" },
  parameters: inParts,
  launch: forwardLaunches(),
  operations: convOperations,
  cpu({ x, filters, y }, p, wasm) {
    // The SIMD kernel sums over everything, which is all that the cpu backend ever asks for.
    if (wasm && p.parts === 1) runFast(wasm, "convForward", p, [x, filters, y]);
    else forwardLoop(p, p.partDepth, x, filters, y);
  },
});

/**
 * d loss / d x `[parts, images, height, width, inputs]`, to be summed, of d loss / d y and the filters. The sum is over
 * the taps that see a pixel, those of its class (see conv2d_direction.wgsl), and channels.
 */
export const convInputGradientKernel = defineKernel({
  name: "conv2d input gradient",
  reads: { gradient: "Element", filters: "Element" },
  writes: { dx: "Element" },
  parameters: inParts,
  launch(p, adapter) {
    // Pixels go by their position modulo the stride, so every class gets threads of its own.
    const classes = p.stride ** 2;
    const classPixels = p.images * Math.ceil(p.height / p.stride) * Math.ceil(p.width / p.stride);
    if (adapter.software) {
      refuseParts(p);
      // The outputs' channels lie side by side in the filters, and it is they that are summed over.
      return {
        shader: inputTiles[1],
        lanes: { gradient: 1, filters: 1, dx: 1 },
        entryPoint: "inputGradient",
        workgroups: linear(classes * tileCount(classPixels, p.inputs), adapter),
      };
    }
    const { block, workgroups } = blocksOf(classPixels, p.inputs, classes * p.parts, adapter);
    const along = alongLanes(p.outputs, p);
    const lanes = { gradient: along, filters: along, dx: lanesOf(p.inputs) };
    return { shader: inputGradientShader(block, lanes), lanes, entryPoint: "tiled", workgroups };
  },
  operations: convOperations,
  cpu({ gradient, filters, dx }, p, wasm) {
    if (wasm && p.parts === 1) runFast(wasm, "convInputGradient", p, [gradient, filters, dx]);
    else inputGradientLoop(p, p.partDepth, gradient, filters, dx);
  },
});

/**
 * d loss / d filters in parts `[parts, kernelHeight, kernelWidth, inputs, outputs]`, to be summed: part i is that of
 * the `partRows` rows of output pixels, counted through all images, from i * partRows on.
 */
export const convFilterGradientKernel = defineKernel({
  name: "conv2d filter gradient",
  reads: { x: "Element", gradient: "Element" },
  writes: { partials: "Element" },
  parameters: { ...convParameters, parts: "u32", partRows: "u32" },
  launch(p, adapter) {
    const depth = p.kernelHeight * p.kernelWidth * p.inputs;
    const lanes = lanesOf(p.outputs);
    if (adapter.software) {
      return {
        shader: filterTiles[lanes],
        lanes: { x: 1, gradient: lanes, partials: lanes },
        workgroups: linear(p.parts * tileCount(depth, p.outputs), adapter),
      };
    }
    const { block, workgroups } = blocksOf(depth, p.outputs, p.parts, adapter);
    const blockLanes = { x: lanesOf(p.inputs), gradient: lanes, partials: lanes };
    return { shader: filterGradientShader(block, blockLanes), lanes: blockLanes, entryPoint: "tiled", workgroups };
  },
  operations: convOperations,
  cpu({ x, gradient, partials }, p, wasm) {
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

import normalise from "../../shaders/store_normalised.wgsl" with { type: "text" };
import scalarStore from "../../shaders/store_normalised_scalar.wgsl" with { type: "text" };
import vectorStore from "../../shaders/store_normalised_vector.wgsl" with { type: "text" };
import { stage } from "../backend/cpu/wasm_runtime.ts";
import { affineLoop, affineOf } from "./channel_affine.ts";
import { forwardLaunches, inParts } from "./conv2d.ts";
import { forwardLoop } from "./conv2d_loops.ts";
import { convOperations } from "./conv_geometry.ts";
import { defineKernel } from "./kernel.ts";

const launches = forwardLaunches({ 1: `${normalise}\n${scalarStore}`, 4: `${normalise}\n${vectorStore}` });

/**
 * What batch norm by given statistics makes of a convolution (see `batchNormKernel`), in one pass: y `[images,
 * outHeight, outWidth, outputs]` of x and filters `[kernelHeight, kernelWidth, inputs, outputs]`, with `residual` 1
 * plus `added`. The sum over taps and channels is in one part.
 */
export const convBatchNormKernel = defineKernel({
  name: "conv2d with batch norm",
  reads: {
    ...{ x: "Element", filters: "Element", mean: "f32", variance: "f32", weight: "f32", bias: "f32" },
    added: "Element",
  },
  writes: { y: "Element" },
  parameters: { ...inParts, epsilon: "f32", activation: "u32", residual: "u32" },
  launch(p, adapter) {
    const launch = launches(p, adapter);
    return { ...launch, lanes: { ...launch.lanes, added: launch.lanes.y }, constants: { residual: p.residual } };
  },
  operations: convOperations,
  cpu({ x, filters, mean, variance, weight, bias, added, y }, p, wasm) {
    const { epsilon, activation, residual } = p;
    const affine = affineOf({ mean, variance, weight, bias }, epsilon);
    if (!wasm) {
      forwardLoop(p, p.partDepth, x, filters, y);
      affineLoop(affine, y, residual === 1 ? added : null, activation, y);
      return;
    }
    const { kernels } = wasm;
    const { pointers: [scale, shift], rest } = stage(wasm, [affine.scale, affine.shift], kernels.convScratch(p));
    const other = residual === 1 ? added.byteOffset : null;
    kernels.convForward(p, x.byteOffset, filters.byteOffset, y.byteOffset, rest, 0, p.images, {
      ...{ scale, shift, added: other, activation },
    });
  },
});

import momentsTemplate from "../../shaders/batch_norm_moments.wgsl" with { type: "text" };
import shader from "../../shaders/batch_norm.wgsl" with { type: "text" };
import statisticsShader from "../../shaders/batch_norm_statistics.wgsl" with { type: "text" };
import { stage } from "../backend/cpu/wasm_runtime.ts";
import { affineLoop, affineOf } from "./channel_affine.ts";
import { perChunk, perElement } from "./elements.ts";
import { defineKernel } from "./kernel.ts";
import { overStrips, sumTree, withTrees } from "./strips.ts";

const momentsShader = withTrees(momentsTemplate, sumTree("f32"));

/**
 * Sums over the rows of `[rows, channels]`, chunk by chunk, and sums of squared distances from the chunk's own mean:
 * both `[chunks, channels]`.
 */
export const batchNormStatisticsKernel = defineKernel({
  name: "batch norm statistics",
  reads: { x: "Element" },
  writes: { sums: "Element", squares: "Element" },
  parameters: { rows: "u32", channels: "u32", chunk: "u32", chunks: "u32" },
  launch: perChunk(statisticsShader),
  cpu: ({ x, sums, squares }, { rows, channels, chunk, chunks }, wasm) => {
    if (wasm && chunks === 1) {
      const mean = wasm.scratch(wasm.kernels.channelScratch(channels) + 4 * channels);
      const scratch = mean + 4 * channels;
      wasm.kernels.channelSums(rows, channels, x.byteOffset, sums.byteOffset, scratch);
      new Float32Array(wasm.kernels.memory.buffer, mean, channels).set(sums.map((sum) => sum / rows));
      wasm.kernels.channelSquares(rows, channels, x.byteOffset, mean, squares.byteOffset, scratch);
      return;
    }
    for (let part = 0; part < chunks; part++) {
      const begin = part * chunk, end = Math.min(begin + chunk, rows);
      for (let c = 0; c < channels; c++) {
        let sum = 0, square = 0;
        for (let row = begin; row < end; row++) sum += x[row * channels + c];
        const mean = sum / (end - begin);
        for (let row = begin; row < end; row++) square += (x[row * channels + c] - mean) ** 2;
        sums[part * channels + c] = sum;
        squares[part * channels + c] = square;
      }
    }
  },
});

/**
 * Mean and variance per channel from the sums of the chunks, and the running ones moved towards them by `momentum`, the
 * variance by its unbiased estimate.
 */
export const batchNormMomentsKernel = defineKernel({
  name: "batch norm moments",
  reads: { sums: "f32", squares: "f32" },
  writes: { mean: "f32", variance: "f32", runningMean: "f32", runningVariance: "f32" },
  parameters: { rows: "u32", channels: "u32", chunk: "u32", chunks: "u32", momentum: "f32" },
  launch: (p, adapter) => ({
    shader: momentsShader,
    ...overStrips({ outer: 1, length: p.chunks, inner: p.channels }, adapter),
  }),
  cpu: (
    { sums, squares, mean, variance, runningMean, runningVariance },
    { rows, channels, chunk, chunks, momentum },
  ) => {
    for (let c = 0; c < channels; c++) {
      let sum = 0, total = 0;
      for (let part = 0; part < chunks; part++) sum += sums[part * channels + c];
      const centre = sum / rows;
      for (let part = 0; part < chunks; part++) {
        const count = Math.min(chunk, rows - part * chunk);
        total += squares[part * channels + c] + count * (sums[part * channels + c] / count - centre) ** 2;
      }
      mean[c] = centre;
      variance[c] = total / rows;
      runningMean[c] += momentum * (centre - runningMean[c]);
      runningVariance[c] += momentum * (total / Math.max(rows - 1, 1) - runningVariance[c]);
    }
  },
});

/**
 * `(x - mean) / sqrt(variance + epsilon) * weight + bias` over `[rows, channels]`; with `residual` 1 plus `added` of
 * the same shape (else its binding may hold anything), and with `activation` 1 no less than 0, with 2 no more than 6
 * either.
 */
export const batchNormKernel = defineKernel({
  name: "batch norm",
  reads: { x: "Element", mean: "Element", variance: "Element", weight: "Element", bias: "Element", added: "Element" },
  writes: { y: "Element" },
  parameters: { rows: "u32", channels: "u32", epsilon: "f32", activation: "u32", residual: "u32" },
  launch: (p, adapter) => ({ ...perElement(shader, p, adapter), constants: { residual: p.residual } }),
  cpu: ({ x, mean, variance, weight, bias, added, y }, { rows, channels, epsilon, residual, activation }, wasm) => {
    const affine = affineOf({ mean, variance, weight, bias }, epsilon);
    if (wasm) {
      const { pointers: [scale, shift] } = stage(wasm, [affine.scale, affine.shift]);
      const other = residual === 1 ? added.byteOffset : null;
      wasm.kernels.channelAffine(rows, channels, x.byteOffset, scale, shift, other, y.byteOffset, activation);
    } else affineLoop(affine, x, residual === 1 ? added : null, activation, y);
  },
});

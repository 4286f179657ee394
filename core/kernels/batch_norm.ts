import centredSquaresShader from "../../shaders/centred_squares.wgsl" with { type: "text" };
import gradientShader from "../../shaders/batch_norm_gradient.wgsl" with { type: "text" };
import movingAverageShader from "../../shaders/moving_average.wgsl" with { type: "text" };
import shader from "../../shaders/batch_norm.wgsl" with { type: "text" };
import sumsShader from "../../shaders/batch_norm_sums.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import { stage } from "../backend/cpu/wasm_runtime.ts";
import { defineKernel, linear } from "./kernel.ts";

/** Sums of (x - mean)^2 over the rows of `[rows, channels]`, chunk by chunk: `[chunks, channels]`. */
export const centredSquaresKernel = defineKernel({
  name: "centred squares",
  reads: ["x", "mean"],
  writes: ["output"],
  parameters: { rows: "u32", channels: "u32", chunk: "u32", chunks: "u32" },
  launch: (p, adapter) => ({
    code: centredSquaresShader,
    entryPoint: "main",
    workgroups: linear(p.chunks * p.channels, adapter),
  }),
  cpu: ({ x, mean, output }, { rows, channels, chunk, chunks }, wasm) => {
    if (wasm && chunks === 1) {
      const scratch = wasm.scratch(wasm.kernels.channelScratch(channels));
      wasm.kernels.channelSquares(rows, channels, x.byteOffset, mean.byteOffset, output.byteOffset, scratch);
      return;
    }
    const sums = new Float64Array(channels);
    for (let part = 0; part < chunks; part++) {
      sums.fill(0);
      for (let row = part * chunk, end = Math.min(row + chunk, rows); row < end; row++) {
        for (let c = 0, at = row * channels; c < channels; c++, at++) {
          const difference = x[at] - mean[c];
          sums[c] += difference * difference;
        }
      }
      output.set(sums, part * channels);
    }
  },
});

const scaleOf = (variance: Floats, epsilon: number): Float64Array =>
  Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));

/** (x - mean) / sqrt(variance + epsilon) * weight + bias over `[rows, channels]`. */
export const batchNormKernel = defineKernel({
  name: "batch norm",
  reads: ["x", "mean", "variance", "weight", "bias"],
  writes: ["y"],
  parameters: { size: "u32", channels: "u32", epsilon: "f32" },
  launch: (p, adapter) => ({ code: shader, entryPoint: "main", workgroups: linear(p.size, adapter) }),
  cpu: ({ x, mean, variance, weight, bias, y }, { size, channels, epsilon }, wasm) => {
    const scale = scaleOf(variance, epsilon).map((value, c) => value * weight[c]);
    const shift = scale.map((value, c) => bias[c] - mean[c] * value);
    if (wasm) {
      const { pointers: [scales, shifts] } = stage(wasm, [scale, shift]);
      wasm.kernels.channelAffine(size / channels, channels, x.byteOffset, scales, shifts, y.byteOffset, false);
      return;
    }
    for (let row = 0; row < size; row += channels) {
      for (let c = 0; c < channels; c++) y[row + c] = x[row + c] * scale[c] + shift[c];
    }
  },
});

/** Sums of g and of g times the normalised input over the rows, chunk by chunk: both `[chunks, channels]`. */
export const batchNormSumsKernel = defineKernel({
  name: "batch norm sums",
  reads: ["x", "gradient", "mean", "variance"],
  writes: ["biasSums", "weightSums"],
  parameters: { rows: "u32", channels: "u32", chunk: "u32", chunks: "u32", epsilon: "f32" },
  launch: (p, adapter) => ({
    code: sumsShader,
    entryPoint: "main",
    workgroups: linear(p.chunks * p.channels, adapter),
  }),
  cpu: ({ x, gradient, mean, variance, biasSums, weightSums }, { rows, channels, chunk, chunks, epsilon }, wasm) => {
    const scale = scaleOf(variance, epsilon);
    if (wasm && chunks === 1) {
      const scratch = wasm.scratch(wasm.kernels.channelScratch(channels));
      const [xs, gradients, means] = [x.byteOffset, gradient.byteOffset, mean.byteOffset];
      const [sums, products] = [biasSums.byteOffset, weightSums.byteOffset];
      wasm.kernels.channelGradientSums(rows, channels, xs, gradients, means, sums, products, scratch);
      for (let c = 0; c < channels; c++) weightSums[c] *= scale[c];
      return;
    }
    const sums = new Float64Array(channels);
    const products = new Float64Array(channels);
    for (let part = 0; part < chunks; part++) {
      sums.fill(0);
      products.fill(0);
      for (let row = part * chunk, end = Math.min(row + chunk, rows); row < end; row++) {
        for (let c = 0, at = row * channels; c < channels; c++, at++) {
          const g = gradient[at];
          sums[c] += g;
          products[c] += g * (x[at] - mean[c]);
        }
      }
      biasSums.set(sums, part * channels);
      weightSums.set(products.map((value, c) => value * scale[c]), part * channels);
    }
  },
});

/** The gradient of batch norm's input; with `training` 1 the statistics are the batch's own. */
export const batchNormGradientKernel = defineKernel({
  name: "batch norm dx",
  reads: ["x", "gradient", "mean", "variance", "weight", "biasGradient", "weightGradient"],
  writes: ["dx"],
  parameters: { size: "u32", channels: "u32", rows: "f32", epsilon: "f32", training: "u32" },
  launch: (p, adapter) => ({ code: gradientShader, entryPoint: "main", workgroups: linear(p.size, adapter) }),
  cpu: (
    { x, gradient, mean, variance, weight, biasGradient, weightGradient, dx },
    { size, channels, rows, epsilon, training },
    wasm,
  ) => {
    // dx = factor g + slope x + shift, channel by channel.
    const scale = scaleOf(variance, epsilon);
    const factor = scale.map((value, c) => value * weight[c]);
    const slope = scale.map((value, c) => training * -factor[c] * value * weightGradient[c] / rows);
    const shift = slope.map((value, c) => training * -factor[c] * biasGradient[c] / rows - mean[c] * value);
    if (wasm) {
      const { pointers: [factors, slopes, shifts] } = stage(wasm, [factor, slope, shift]);
      const [xs, gradients] = [x.byteOffset, gradient.byteOffset];
      wasm.kernels.channelGradient(rows, channels, xs, gradients, factors, slopes, shifts, dx.byteOffset);
      return;
    }
    for (let row = 0; row < size; row += channels) {
      for (let c = 0, at = row; c < channels; c++, at++) {
        dx[at] = factor[c] * gradient[at] + slope[c] * x[at] + shift[c];
      }
    }
  },
});

/** `average += momentum (factor value - average)`, in place: running statistics. */
export const movingAverageKernel = defineKernel({
  name: "moving average",
  reads: ["value"],
  writes: ["average"],
  parameters: { size: "u32", momentum: "f32", factor: "f32" },
  launch: (p, adapter) => ({ code: movingAverageShader, entryPoint: "main", workgroups: linear(p.size, adapter) }),
  cpu: ({ value, average }, { size, momentum, factor }) => {
    for (let i = 0; i < size; i++) average[i] += momentum * (factor * value[i] - average[i]);
  },
});

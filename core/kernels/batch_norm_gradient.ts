import coefficientsTemplate from "../../shaders/batch_norm_coefficients.wgsl" with { type: "text" };
import gradientShader from "../../shaders/batch_norm_gradient.wgsl" with { type: "text" };
import sumsShader from "../../shaders/batch_norm_sums.wgsl" with { type: "text" };
import { perChunk, perElement } from "./elements.ts";
import { defineKernel } from "./kernel.ts";
import { overStrips, sumTree, withTrees } from "./strips.ts";

const coefficientsShader = withTrees(coefficientsTemplate, sumTree("vec2f"));

/** Sums of g and of g (x - mean) over the rows of `[rows, channels]`, chunk by chunk: both `[chunks, channels]`. */
export const batchNormSumsKernel = defineKernel({
  name: "batch norm sums",
  reads: { x: "Element", gradient: "Element", mean: "Element" },
  writes: { sums: "Element", products: "Element" },
  parameters: { rows: "u32", channels: "u32", chunk: "u32", chunks: "u32" },
  launch: perChunk(sumsShader),
  cpu: ({ x, gradient, mean, sums, products }, { rows, channels, chunk, chunks }, wasm) => {
    if (wasm && chunks === 1) {
      const scratch = wasm.scratch(wasm.kernels.channelScratch(channels));
      const [xs, gradients, means] = [x.byteOffset, gradient.byteOffset, mean.byteOffset];
      const [first, second] = [sums.byteOffset, products.byteOffset];
      wasm.kernels.channelGradientSums(rows, channels, xs, gradients, means, first, second, scratch);
      return;
    }
    for (let part = 0; part < chunks; part++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0, product = 0;
        for (let row = part * chunk, end = Math.min(row + chunk, rows); row < end; row++) {
          const at = row * channels + c;
          sum += gradient[at];
          product += gradient[at] * (x[at] - mean[c]);
        }
        sums[part * channels + c] = sum;
        products[part * channels + c] = product;
      }
    }
  },
});

/**
 * From the sums of the chunks: the gradients of weight and bias, and `coefficients [4, channels]`, the factor, mean,
 * slope and offset of {@link batchNormGradientKernel}; with `training` 1 the statistics are the batch's own.
 */
export const batchNormCoefficientsKernel = defineKernel({
  name: "batch norm coefficients",
  reads: { sums: "f32", products: "f32", mean: "f32", variance: "f32", weight: "f32" },
  writes: { weightGradient: "f32", biasGradient: "f32", coefficients: "f32" },
  parameters: { rows: "f32", channels: "u32", chunks: "u32", epsilon: "f32", training: "f32" },
  launch: (p, adapter) => ({
    shader: coefficientsShader,
    ...overStrips({ outer: 1, length: p.chunks, inner: p.channels }, adapter),
  }),
  cpu: (
    { sums, products, mean, variance, weight, weightGradient, biasGradient, coefficients },
    { rows, channels, chunks, epsilon, training },
  ) => {
    for (let c = 0; c < channels; c++) {
      let sum = 0, product = 0;
      for (let part = 0; part < chunks; part++) {
        sum += sums[part * channels + c];
        product += products[part * channels + c];
      }
      const scale = 1 / Math.sqrt(variance[c] + epsilon);
      const factor = scale * weight[c];
      biasGradient[c] = sum;
      weightGradient[c] = product * scale;
      const slope = -training * factor * scale ** 2 * product / rows;
      const offset = -training * factor * sum / rows;
      [factor, mean[c], slope, offset].forEach((value, row) => coefficients[row * channels + c] = value);
    }
  },
});

/** The gradient of batch norm's input, `factor g + slope (x - mean) + offset` over `[rows, channels]`. */
export const batchNormGradientKernel = defineKernel({
  name: "batch norm dx",
  reads: { x: "Element", gradient: "Element", coefficients: "Element" },
  writes: { dx: "Element" },
  parameters: { rows: "u32", channels: "u32" },
  launch: (p, adapter) => perElement(gradientShader, p, adapter),
  cpu: ({ x, gradient, coefficients, dx }, { rows, channels }, wasm) => {
    if (wasm) {
      const [xs, gradients] = [x.byteOffset, gradient.byteOffset];
      wasm.kernels.channelGradient(rows, channels, xs, gradients, coefficients.byteOffset, dx.byteOffset);
      return;
    }
    const [factor, mean, slope, offset] = [0, 1, 2, 3]
      .map((row) => coefficients.subarray(row * channels, (row + 1) * channels));
    for (let row = 0; row < rows * channels; row += channels) {
      for (let c = 0, at = row; c < channels; c++, at++) {
        dx[at] = factor[c] * gradient[at] + slope[c] * (x[at] - mean[c]) + offset[c];
      }
    }
  },
});

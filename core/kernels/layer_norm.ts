import gradientTemplate from "../../shaders/layer_norm_gradient.wgsl" with { type: "text" };
import template from "../../shaders/layer_norm.wgsl" with { type: "text" };
import sumsTemplate from "../../shaders/layer_norm_sums.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import { defineKernel } from "./kernel.ts";
import { overRows, overStrips, sumTree, withTrees } from "./strips.ts";

const shader = withTrees(template, sumTree("f32"));
const gradientShader = withTrees(gradientTemplate, sumTree("vec2f"));
const sumsShader = withTrees(sumsTemplate, sumTree("vec2f"));

/** Where views begin in the shared memory. */
const pointers = (...views: Floats[]): number[] => views.map(({ byteOffset }) => byteOffset);

/** (x - mean) scale weight + bias over each row of `[rows, columns]`, scale = 1 / sqrt(variance + epsilon). */
export const layerNormKernel = defineKernel({
  name: "layer norm",
  reads: { x: "f32", weight: "f32", bias: "f32" },
  writes: { y: "f32", mean: "f32", scale: "f32" },
  parameters: { rows: "u32", columns: "u32", epsilon: "f32" },
  launch: (p, adapter) => ({ shader, ...overRows(p, adapter) }),
  cpu: ({ x, weight, bias, y, mean, scale }, { rows, columns, epsilon }, wasm) => {
    if (wasm) {
      const [xs, weights, biases, ys, means, scales] = pointers(x, weight, bias, y, mean, scale);
      return wasm.kernels.layerNorm(rows, columns, xs, weights, biases, ys, means, scales, epsilon);
    }
    for (let i = 0; i < rows; i++) {
      const row = i * columns;
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += x[row + c];
      const centre = sum / columns;
      let squares = 0;
      for (let c = 0; c < columns; c++) squares += (x[row + c] - centre) ** 2;
      const factor = 1 / Math.sqrt(squares / columns + epsilon);
      for (let c = 0; c < columns; c++) y[row + c] = (x[row + c] - centre) * factor * weight[c] + bias[c];
      mean[i] = centre;
      scale[i] = factor;
    }
  },
});

/** The gradient of layer norm's input from the mean and the scale of each row. */
export const layerNormGradientKernel = defineKernel({
  name: "layer norm dx",
  reads: { x: "f32", gradient: "f32", weight: "f32", mean: "f32", scale: "f32" },
  writes: { dx: "f32" },
  parameters: { rows: "u32", columns: "u32" },
  launch: (p, adapter) => ({ shader: gradientShader, ...overRows(p, adapter) }),
  cpu: ({ x, gradient, weight, mean, scale, dx }, { rows, columns }, wasm) => {
    if (wasm) {
      const [xs, gs, weights, means, scales, dxs] = pointers(x, gradient, weight, mean, scale, dx);
      return wasm.kernels.layerNormGradient(rows, columns, xs, gs, weights, means, scales, dxs);
    }
    for (let i = 0; i < rows; i++) {
      const row = i * columns;
      const [centre, factor] = [mean[i], scale[i]];
      let sum = 0;
      let product = 0;
      for (let c = 0; c < columns; c++) {
        const h = gradient[row + c] * weight[c];
        sum += h;
        product += h * (x[row + c] - centre);
      }
      sum /= columns;
      product *= factor * factor / columns;
      for (let c = 0; c < columns; c++) {
        dx[row + c] = factor * (gradient[row + c] * weight[c] - sum - (x[row + c] - centre) * product);
      }
    }
  },
});

/** Sums of g and of g times the normalised input over the rows, chunk by chunk: both `[chunks, columns]`. */
export const layerNormSumsKernel = defineKernel({
  name: "layer norm sums",
  reads: { x: "f32", gradient: "f32", mean: "f32", scale: "f32" },
  writes: { biasSums: "f32", weightSums: "f32" },
  parameters: { rows: "u32", columns: "u32", chunk: "u32", chunks: "u32" },
  launch: (p, adapter) => ({
    shader: sumsShader,
    ...overStrips({ outer: p.chunks, length: p.chunk, inner: p.columns }, adapter),
  }),
  cpu: ({ x, gradient, mean, scale, biasSums, weightSums }, { rows, columns, chunk, chunks }, wasm) => {
    if (wasm && chunks === 1) {
      const scratch = wasm.scratch(wasm.kernels.channelScratch(columns));
      const [xs, gs, means, scales, sums, products] = pointers(x, gradient, mean, scale, biasSums, weightSums);
      return wasm.kernels.layerNormSums(rows, columns, xs, gs, means, scales, sums, products, scratch);
    }
    const sums = new Float64Array(columns);
    const products = new Float64Array(columns);
    for (let part = 0; part < chunks; part++) {
      sums.fill(0);
      products.fill(0);
      for (let i = part * chunk, end = Math.min(i + chunk, rows); i < end; i++) {
        const [centre, factor] = [mean[i], scale[i]];
        for (let c = 0, at = i * columns; c < columns; c++, at++) {
          sums[c] += gradient[at];
          products[c] += gradient[at] * (x[at] - centre) * factor;
        }
      }
      biasSums.set(sums, part * columns);
      weightSums.set(products, part * columns);
    }
  },
});

import gradientTemplate from "../../shaders/softmax_gradient.wgsl" with { type: "text" };
import template from "../../shaders/softmax.wgsl" with { type: "text" };
import { expAndLog } from "./exp_log.ts";
import type { Floats } from "../backend/backend.ts";
import { defineKernel } from "./kernel.ts";
import { overRows, sumTree, withTrees } from "./strips.ts";

const sums = sumTree("f32");
const shader = withTrees(expAndLog + template, { ...sums, largestOf: ["f32", "max(x, y)"] });
const gradientShader = withTrees(expAndLog + gradientTemplate, sums);

const parameters = { rows: "u32", columns: "u32" } as const;

/** The largest of `columns` numbers from `row` on. */
export function largestIn(x: Floats, row: number, columns: number): number {
  let value = x[row];
  for (let c = 1; c < columns; c++) if (x[row + c] > value) value = x[row + c];
  return value;
}

/** The sum of exp(x - shift) over `columns` numbers from `row` on. */
export function totalIn(x: Floats, row: number, columns: number, shift: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += Math.exp(x[row + c] - shift);
  return sum;
}

/** exp(x) / sum(exp(x)) over the last dimension of `[rows, columns]`. */
export const softmaxKernel = defineKernel({
  name: "softmax",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, entryPoint: "softmax", ...overRows(p, adapter) }),
  cpu: ({ input, output }, { rows, columns }, wasm) => {
    if (wasm) return wasm.kernels.softmax(rows, columns, input.byteOffset, null, 1, output.byteOffset);
    for (let row = 0; row < rows * columns; row += columns) {
      const shift = largestIn(input, row, columns);
      const scale = 1 / totalIn(input, row, columns, shift);
      for (let c = 0; c < columns; c++) output[row + c] = Math.exp(input[row + c] - shift) * scale;
    }
  },
});

/** x - log(sum(exp(x))) over the last dimension of `[rows, columns]`. */
export const logSoftmaxKernel = defineKernel({
  name: "log softmax",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, entryPoint: "logSoftmax", ...overRows(p, adapter) }),
  cpu: ({ input, output }, { rows, columns }) => {
    for (let row = 0; row < rows * columns; row += columns) {
      const shift = largestIn(input, row, columns);
      const logTotal = Math.log(totalIn(input, row, columns, shift));
      // One after the other: their sum would have lost the logarithm beside a large entry.
      for (let c = 0; c < columns; c++) output[row + c] = input[row + c] - shift - logTotal;
    }
  },
});

/** Gradient of softmax from its output y: y (g - sum(g y)). */
export const softmaxGradientKernel = defineKernel({
  name: "softmax dx",
  reads: { y: "f32", gradient: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: gradientShader, entryPoint: "softmax", ...overRows(p, adapter) }),
  cpu: ({ y, gradient, output }, { rows, columns }, wasm) => {
    if (wasm) {
      return wasm.kernels.softmaxGradient(rows, columns, y.byteOffset, gradient.byteOffset, output.byteOffset);
    }
    for (let row = 0; row < rows * columns; row += columns) {
      let dot = 0;
      for (let c = 0; c < columns; c++) dot += gradient[row + c] * y[row + c];
      for (let c = 0; c < columns; c++) output[row + c] = y[row + c] * (gradient[row + c] - dot);
    }
  },
});

/** Gradient of log-softmax from its output y: g - exp(y) sum(g). */
export const logSoftmaxGradientKernel = defineKernel({
  name: "log softmax dx",
  reads: { y: "f32", gradient: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: gradientShader, entryPoint: "logSoftmax", ...overRows(p, adapter) }),
  cpu: ({ y, gradient, output }, { rows, columns }) => {
    for (let row = 0; row < rows * columns; row += columns) {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += gradient[row + c];
      for (let c = 0; c < columns; c++) output[row + c] = gradient[row + c] - Math.exp(y[row + c]) * sum;
    }
  },
});

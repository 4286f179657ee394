import gradientShader from "../../shaders/difference_gradient.wgsl" with { type: "text" };
import shader from "../../shaders/squared_sums.wgsl" with { type: "text" };
import { fillHoles } from "./header.ts";
import { defineKernel } from "./kernel.ts";
import { linear, spread } from "./launch.ts";

const ofDifferences = fillHoles(shader, { TERM: "a[i] - b[i]" });
const ofNumbers = fillHoles(shader, { TERM: "input[i]" });
const parameters = { size: "u32", count: "u32", factor: "f32" } as const;

/** Numbers that a thread adds up, and the most threads: a sum of their parts must follow. */
const NUMBERS_PER_THREAD = 16;
const MOST_THREADS = 4096;

/** Parts that a sum of `size` squares has: a multiple of 64, so that the parts of several sums can lie side by side. */
export function partsOf(size: number): number {
  return Math.min(Math.max(Math.ceil(size / (64 * NUMBERS_PER_THREAD)), 1) * 64, MOST_THREADS);
}

/** `count` parts of `factor` sum (a - b)^2 over `size` numbers; the cpu has one, and zeros behind it. */
export const squaredDifferenceKernel = defineKernel({
  name: "squared difference",
  reads: { a: "f32", b: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: ofDifferences, workgroups: linear(p.count, adapter) }),
  cpu: ({ a, b, output }, { size, factor }) => {
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const difference = a[i] - b[i];
      sum += difference * difference;
    }
    output.fill(0);
    output[0] = sum * factor;
  },
});

/** `count` parts of `factor` sum x^2, likewise. */
export const squaredNormKernel = defineKernel({
  name: "squared norm",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: ofNumbers, workgroups: linear(p.count, adapter) }),
  cpu: ({ input, output }, { size, factor }, wasm) => {
    let sum = 0;
    if (wasm) {
      sum = wasm.kernels.squaredNorm(size, input.byteOffset, wasm.scratch(wasm.kernels.squaredNormScratch(size)));
    } else for (let i = 0; i < size; i++) sum += input[i] * input[i];
    output.fill(0);
    output[0] = sum * factor;
  },
});

/** `gradient [1]` times `factor` (a - b). */
export const squaredDifferenceGradientKernel = defineKernel({
  name: "squared difference dx",
  reads: { a: "f32", b: "f32", gradient: "f32" },
  writes: { output: "f32" },
  parameters: { size: "u32", factor: "f32" },
  launch: (p, adapter) => ({ shader: gradientShader, workgroups: spread(p.size, adapter) }),
  cpu: ({ a, b, gradient, output }, { size, factor }) => {
    const scale = gradient[0] * factor;
    for (let i = 0; i < size; i++) output[i] = scale * (a[i] - b[i]);
  },
});

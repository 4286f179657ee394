import template from "../../shaders/sum.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { overStrips, sumTree, withTrees } from "./strips.ts";

const shader = withTrees(template, sumTree("f32"));

/**
 * `[outer, length, inner]` to `[outer, chunks, inner]`: sums of `chunk` neighbours along the middle, times `factor`.
 */
export const sumKernel = defineKernel({
  name: "sum",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters: { outer: "u32", length: "u32", inner: "u32", chunk: "u32", chunks: "u32", factor: "f32" },
  launch: (p, adapter) => ({
    shader,
    ...overStrips({ outer: p.outer * p.chunks, length: p.chunk, inner: p.inner }, adapter),
  }),
  cpu: ({ input, output }, { outer, length, inner, chunk, chunks, factor }, wasm) => {
    if (wasm && outer === 1 && chunks === 1 && inner > 1) {
      const scratch = wasm.scratch(wasm.kernels.channelScratch(inner));
      wasm.kernels.channelSums(length, inner, input.byteOffset, output.byteOffset, scratch);
      for (let i = 0; i < inner; i++) output[i] *= factor;
      return;
    }
    // Doubles hold the running sums, so the reference does not lose digits on long rows.
    const sums = new Float64Array(inner);
    for (let o = 0; o < outer; o++) {
      for (let c = 0; c < chunks; c++) {
        sums.fill(0);
        for (let k = c * chunk, end = Math.min(k + chunk, length); k < end; k++) {
          const row = (o * length + k) * inner;
          for (let i = 0; i < inner; i++) sums[i] += input[row + i];
        }
        const target = (o * chunks + c) * inner;
        for (let i = 0; i < inner; i++) output[target + i] = sums[i] * factor;
      }
    }
  },
});

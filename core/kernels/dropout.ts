import shader from "../../shaders/dropout.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/** Two rounds of xor-shift and multiply, as in the shader. */
function hash(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Zeroes elements with probability `rate` by a mask that `seed` decides; the others are divided by 1 - rate. */
export const dropoutKernel = defineKernel({
  name: "dropout",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters: { size: "u32", seed: "seed", rate: "f32" },
  launch: (p, adapter) => ({ shader, workgroups: linear(p.size, adapter) }),
  cpu: ({ input, output }, { size, seed, rate }, wasm) => {
    const key = hash(seed);
    if (wasm) return wasm.kernels.dropout(size, input.byteOffset, key, rate, output.byteOffset);
    const threshold = Math.fround(rate);
    for (let i = 0; i < size; i++) {
      output[i] = (hash(i ^ key) >>> 8) / 16777216 >= threshold ? input[i] / (1 - threshold) : 0;
    }
  },
});

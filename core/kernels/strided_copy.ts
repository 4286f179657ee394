import shader from "../../shaders/strided_copy.wgsl" with { type: "text" };
import { defineKernel, spread } from "./kernel.ts";

/**
 * Fills the output in its order from the input by strides: a permutation of dimensions, and a repetition where a stride is
 * 0. Six dimensions at most; `extent0` follows from the size.
 */
export const stridedCopyKernel = defineKernel({
  name: "strided copy",
  reads: ["input"],
  writes: ["output"],
  // deno-fmt-ignore
  parameters: {
    size: "u32", extent1: "u32", extent2: "u32", extent3: "u32", extent4: "u32", extent5: "u32",
    stride0: "u32", stride1: "u32", stride2: "u32", stride3: "u32", stride4: "u32", stride5: "u32",
  },
  launch: (p, adapter) => ({ code: shader, entryPoint: "main", workgroups: spread(p.size, adapter) }),
  cpu: ({ input, output }, p) => {
    const { extent5, stride5 } = p;
    const rows = p.size / extent5;
    let target = 0;
    for (let row = 0; row < rows; row++) {
      let rest = row;
      let source = (rest % p.extent4) * p.stride4;
      rest = Math.floor(rest / p.extent4);
      source += (rest % p.extent3) * p.stride3;
      rest = Math.floor(rest / p.extent3);
      source += (rest % p.extent2) * p.stride2;
      rest = Math.floor(rest / p.extent2);
      source += (rest % p.extent1) * p.stride1 + Math.floor(rest / p.extent1) * p.stride0;
      for (let i = 0; i < extent5; i++, source += stride5) output[target++] = input[source];
    }
  },
});

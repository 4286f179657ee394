import shader from "../../shaders/strided_copy.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { spread } from "./launch.ts";

/**
 * Fills the output in its order from the input by strides: a permutation of dimensions, and a repetition where a stride
 * is
 * 0. Six dimensions at most; `extent0` follows from the size.
 */
export const stridedCopyKernel = defineKernel({
  name: "strided copy",
  reads: { input: "f32" },
  writes: { output: "f32" },
  // deno-fmt-ignore
  parameters: {
    size: "u32", extent1: "u32", extent2: "u32", extent3: "u32", extent4: "u32", extent5: "u32",
    stride0: "u32", stride1: "u32", stride2: "u32", stride3: "u32", stride4: "u32", stride5: "u32",
  },
  launch: (p, adapter) => ({ shader, workgroups: spread(p.size, adapter) }),
  cpu: ({ input, output }, p, wasm) => {
    const { extent1, extent2, extent3, extent4, extent5, stride3, stride4, stride5 } = p;
    const planes = p.size / (extent5 * extent4 * extent3);
    if (wasm) {
      const extents = [extent1, extent2, extent3, extent4, extent5];
      const strides = [p.stride0, p.stride1, p.stride2, stride3, stride4, stride5];
      return wasm.kernels.stridedCopy(input.byteOffset, output.byteOffset, planes, extents, strides);
    }
    let target = 0;
    for (let plane = 0; plane < planes; plane++) {
      const [outer, middle, inner] = [
        Math.floor(plane / (extent1 * extent2)),
        Math.floor(plane / extent2) % extent1,
        plane % extent2,
      ];
      const first = outer * p.stride0 + middle * p.stride1 + inner * p.stride2;
      for (let i = 0; i < extent3; i++) {
        for (let j = 0; j < extent4; j++) {
          let source = first + i * stride3 + j * stride4;
          for (let k = 0; k < extent5; k++, source += stride5) output[target++] = input[source];
        }
      }
    }
  },
});

import shader from "../../shaders/slice.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/**
 * Of `[outer, extent, inner]` the part from `begin` on, `length` long; `size` counts the numbers that are gone through.
 */
const parameters = { size: "u32", extent: "u32", inner: "u32", begin: "u32", length: "u32" } as const;

/** `[outer, extent, inner]` to `[outer, length, inner]`. */
export const sliceKernel = defineKernel({
  name: "slice",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, entryPoint: "take", workgroups: linear(p.size, adapter) }),
  cpu: ({ input, output }, { size, extent, inner, begin, length }) => {
    const row = length * inner;
    for (let target = 0, source = begin * inner; target < size; target += row, source += extent * inner) {
      output.set(input.subarray(source, source + row), target);
    }
  },
});

/** `[outer, length, inner]` to `[outer, extent, inner]`, zeros around it. */
export const padKernel = defineKernel({
  name: "slice dx",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, entryPoint: "pad", workgroups: linear(p.size, adapter) }),
  cpu: ({ input, output }, { size, extent, inner, begin, length }) => {
    const row = length * inner;
    output.fill(0);
    for (let source = 0, target = begin * inner; target < size; target += extent * inner, source += row) {
      output.set(input.subarray(source, source + row), target);
    }
  },
});

/** `[outer, length, inner]` into its place in `[outer, extent, inner]`; what is around it stays as it was. */
export const placeSliceKernel = defineKernel({
  name: "slice place",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, entryPoint: "place", workgroups: linear(p.size, adapter) }),
  cpu: ({ input, output }, { size, extent, inner, begin, length }) => {
    const row = length * inner;
    for (let source = 0, target = begin * inner; source < size; target += extent * inner, source += row) {
      output.set(input.subarray(source, source + row), target);
    }
  },
});

import shader from "../../shaders/pick.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

const parameters = { rows: "u32", columns: "u32" } as const;

/** `output[r] = input[r, indices[r]]`. */
export const pickKernel = defineKernel({
  name: "pick",
  reads: { input: "f32", indices: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, entryPoint: "pick", workgroups: linear(p.rows, adapter) }),
  cpu: ({ input, indices, output }, { rows, columns }) => {
    for (let row = 0; row < rows; row++) output[row] = input[row * columns + indices[row]];
  },
});

/** `output[r, c] = input[r]` where `c = indices[r]`, 0 elsewhere. */
export const unpickKernel = defineKernel({
  name: "place",
  reads: { input: "f32", indices: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, entryPoint: "place", workgroups: linear(p.rows * p.columns, adapter) }),
  cpu: ({ input, indices, output }, { rows, columns }) => {
    output.fill(0);
    for (let row = 0; row < rows; row++) output[row * columns + indices[row]] = input[row];
  },
});

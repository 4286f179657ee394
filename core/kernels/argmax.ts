import shader from "../../shaders/argmax.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/** The index of the first largest entry of each row of `input [rows, columns]`; 0 where none is a number. */
export const argmaxKernel = defineKernel({
  name: "argmax",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters: { rows: "u32", columns: "u32" },
  launch: (p, adapter) => ({ shader, workgroups: linear(p.rows, adapter) }),
  cpu: ({ input, output }, { rows, columns }) => {
    for (let row = 0; row < rows; row++) {
      let best = 0;
      for (let c = 1; c < columns; c++) if (input[row * columns + c] > input[row * columns + best]) best = c;
      output[row] = best;
    }
  },
});

import arrangeShader from "../../shaders/arrange_columns.wgsl" with { type: "text" };
import signsShader from "../../shaders/column_signs.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/** Of a row-major matrix `[rows, columns]`; `kept` is the width of what is made of it. */
const parameters = { rows: "u32", columns: "u32", kept: "u32" } as const;

/** For each column 1, or -1 where its entry of largest size (the first of equals) is negative. */
export const columnSignsKernel = defineKernel({
  name: "column signs",
  reads: { input: "f32" },
  writes: { values: "f32" },
  parameters,
  launch: (p) => ({ shader: signsShader, workgroups: [Math.ceil(p.columns / 64), 1, 1] }),
  cpu: ({ input, values }, { rows, columns }) => {
    for (let j = 0; j < columns; j++) {
      let largest = 0;
      for (let at = j; at < rows * columns; at += columns) {
        if (Math.abs(input[at]) > Math.abs(largest)) largest = input[at];
      }
      values[j] = largest < 0 ? -1 : 1;
    }
  },
});

/** Column c of the output `[rows, kept]` is column `order[c]` of the input, times `factors[c]`. */
export const arrangeColumnsKernel = defineKernel({
  name: "arrange columns",
  reads: { input: "f32", order: "f32", factors: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: arrangeShader, workgroups: linear(p.rows * p.kept, adapter) }),
  cpu: ({ input, order, factors, output }, p) => {
    for (let k = 0; k < p.rows; k++) {
      for (let c = 0; c < p.kept; c++) output[k * p.kept + c] = input[k * p.columns + order[c]] * factors[c];
    }
  },
});

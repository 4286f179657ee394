import type { Floats } from "../backend/backend.ts";
import shader from "../../shaders/columns.wgsl" with { type: "text" };
import { defineKernel, linear } from "./kernel.ts";

/** Of a row-major matrix `[rows, columns]`; `kept` is the width of what is made of it. */
const parameters = { rows: "u32", columns: "u32", kept: "u32" } as const;

/** A kernel that makes one number of each column. */
function columnKernel(name: string, entryPoint: string, valueOf: (column: Float64Array) => number) {
  return defineKernel({
    name,
    reads: ["input"],
    writes: ["values"],
    parameters,
    launch: (p, adapter) => ({ code: shader, entryPoint, workgroups: linear(p.columns, adapter) }),
    cpu: ({ input, values }, { rows, columns }) => {
      for (let j = 0; j < columns; j++) {
        values[j] = valueOf(Float64Array.from({ length: rows }, (_, k) => input[k * columns + j]));
      }
    },
  });
}

/** Euclidean lengths of columns whose entries are around 1. */
export const columnNormsKernel = columnKernel(
  "column norms",
  "norms",
  (x) => Math.sqrt(x.reduce((s, v) => s + v * v, 0)),
);

/** 1, or -1 where a column's entry of largest size (the first of equals) is negative. */
export const columnSignsKernel = columnKernel("column signs", "signs", (x) => {
  const largest = x.reduce((best, v) => Math.abs(v) > Math.abs(best) ? v : best, 0);
  return largest < 0 ? -1 : 1;
});

/** Column c of the output `[rows, kept]` is column `order[c]` of the input, times `factors[c]`. */
export const arrangeColumnsKernel = defineKernel({
  name: "arrange columns",
  reads: ["input", "order", "factors"],
  writes: ["output"],
  parameters,
  launch: (p, adapter) => ({ code: shader, entryPoint: "arrange", workgroups: linear(p.rows * p.kept, adapter) }),
  cpu: ({ input, order, factors, output }: Record<"input" | "order" | "factors" | "output", Floats>, p) => {
    for (let k = 0; k < p.rows; k++) {
      for (let c = 0; c < p.kept; c++) output[k * p.kept + c] = input[k * p.columns + order[c]] * factors[c];
    }
  },
});

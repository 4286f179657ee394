import template from "../../shaders/argmax.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import { fillHoles } from "./header.ts";
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/**
 * The shader of a kernel that makes `answer` of `best`, the index of the first largest entry of row `i` of a tensor.
 */
export function withLargest(logits: string, answer: string): string {
  return fillHoles(template, { LOGITS: logits, ANSWER: answer });
}

/** The index of the first largest of `columns` numbers from `row` on; 0 where none is a number. */
export function largestIn(x: Floats, row: number, columns: number): number {
  let best = 0;
  for (let c = 1; c < columns; c++) if (x[row + c] > x[row + best]) best = c;
  return best;
}

const shader = withLargest("input", "f32(best)");

/** The index of the first largest entry of each row of `input [rows, columns]`; 0 where none is a number. */
export const argmaxKernel = defineKernel({
  name: "argmax",
  reads: { input: "f32" },
  writes: { output: "f32" },
  parameters: { rows: "u32", columns: "u32" },
  launch: (p, adapter) => ({ shader, workgroups: linear(p.rows, adapter) }),
  cpu: ({ input, output }, { rows, columns }) => {
    for (let row = 0; row < rows; row++) output[row] = largestIn(input, row * columns, columns);
  },
});

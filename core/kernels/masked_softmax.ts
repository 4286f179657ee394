import template from "../../shaders/masked_softmax.wgsl" with { type: "text" };
import { expAndLog } from "./exp_log.ts";
import { defineKernel } from "./kernel.ts";
import { overRows, sumTree, withTrees } from "./strips.ts";

const shader = withTrees(expAndLog + template, { ...sumTree("f32"), largestOf: ["vec2f", "larger(x, y)"] });

/**
 * Softmax over the last dimension of `[rows, columns]`, without the columns where the mask `[rows / rowsPerMask,
 * columns]` is 0.
 */
export const maskedSoftmaxKernel = defineKernel({
  name: "masked softmax",
  reads: { input: "f32", mask: "f32" },
  writes: { output: "f32" },
  parameters: { rows: "u32", columns: "u32", rowsPerMask: "u32" },
  launch: (p, adapter) => ({ shader, ...overRows(p, adapter) }),
  cpu: ({ input, mask, output }, { rows, columns, rowsPerMask }, wasm) => {
    if (wasm) {
      const [x, m, y] = [input, mask, output].map(({ byteOffset }) => byteOffset);
      return wasm.kernels.softmax(rows, columns, x, m, rowsPerMask, y);
    }
    for (let i = 0; i < rows; i++) {
      const row = i * columns;
      const maskRow = Math.floor(i / rowsPerMask) * columns;
      let largest = -Infinity;
      for (let c = 0; c < columns; c++) {
        if (mask[maskRow + c] !== 0) largest = Math.max(largest, input[row + c]);
      }
      let total = 0;
      for (let c = 0; c < columns; c++) if (mask[maskRow + c] !== 0) total += Math.exp(input[row + c] - largest);
      for (let c = 0; c < columns; c++) {
        output[row + c] = mask[maskRow + c] !== 0 ? Math.exp(input[row + c] - largest) / total : 0;
      }
    }
  },
});

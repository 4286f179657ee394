import { largestIn, withLargest } from "./argmax.ts";
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

// Compared as floats: a label of -1 would be 0 as a whole number without sign.
const shader = withLargest("logits", "select(0.0, 1.0, f32(best) == labels[i])");

/** 1 for each row of `logits [rows, columns]` whose first largest entry stands at the label, else 0. */
export const correctKernel = defineKernel({
  name: "correct",
  reads: { logits: "f32", labels: "f32" },
  writes: { output: "f32" },
  parameters: { rows: "u32", columns: "u32" },
  launch: (p, adapter) => ({ shader, workgroups: linear(p.rows, adapter) }),
  cpu: ({ logits, labels, output }, { rows, columns }) => {
    for (let row = 0; row < rows; row++) {
      output[row] = largestIn(logits, row * columns, columns) === labels[row] ? 1 : 0;
    }
  },
});

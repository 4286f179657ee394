import shader from "../../shaders/correct.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/** 1 for each row of `logits [rows, columns]` whose first largest entry stands at the label, else 0. */
export const correctKernel = defineKernel({
  name: "correct",
  reads: { logits: "f32", labels: "f32" },
  writes: { output: "f32" },
  parameters: { rows: "u32", columns: "u32" },
  launch: (p, adapter) => ({ shader, workgroups: linear(p.rows, adapter) }),
  cpu: ({ logits, labels, output }, { rows, columns }) => {
    for (let row = 0; row < rows; row++) {
      let best = 0;
      for (let c = 1; c < columns; c++) if (logits[row * columns + c] > logits[row * columns + best]) best = c;
      output[row] = best === labels[row] ? 1 : 0;
    }
  },
});

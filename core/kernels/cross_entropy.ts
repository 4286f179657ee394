import gradientTemplate from "../../shaders/cross_entropy_gradient.wgsl" with { type: "text" };
import template from "../../shaders/cross_entropy.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { spread } from "./launch.ts";
import { expAndLog } from "./exp_log.ts";
import { largestIn, totalIn } from "./softmax.ts";
import { overRows, sumTree, withTrees } from "./strips.ts";

const shader = withTrees(expAndLog + template, { ...sumTree("vec2f"), largestOf: ["f32", "max(x, y)"] });
const gradientShader = expAndLog + gradientTemplate;

const parameters = { rows: "u32", columns: "u32", smoothing: "f32" } as const;

/**
 * Cross-entropy of each row of logits `[rows, columns]` with its label: `output [rows]`, and for the gradient `notes
 * [rows, 2]`, the largest logit and the logarithm of the sum of exponentials beside it.
 */
export const crossEntropyKernel = defineKernel({
  name: "cross-entropy",
  reads: { logits: "f32", labels: "f32" },
  writes: { output: "f32", notes: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, ...overRows(p, adapter) }),
  cpu: ({ logits, labels, output, notes }, { rows, columns, smoothing }) => {
    for (let row = 0; row < rows; row++) {
      const begin = row * columns;
      const shift = largestIn(logits, begin, columns);
      const logTotal = Math.log(totalIn(logits, begin, columns, shift));
      let evenly = 0;
      // Without smoothing, a logit of minus infinity costs nothing where it is not the label's.
      if (smoothing > 0) {
        for (let c = 0; c < columns; c++) evenly += logits[begin + c] - shift;
        evenly = evenly / columns - logTotal;
      }
      const hard = logits[begin + labels[row]] - shift - logTotal;
      output[row] = -(1 - smoothing) * hard - smoothing * evenly;
      notes[2 * row] = shift;
      notes[2 * row + 1] = logTotal;
    }
  },
});

/** Its gradient by the logits from the rows' `gradient [rows]`: g (p_c - (1 - e) [c = y] - e / C). */
export const crossEntropyGradientKernel = defineKernel({
  name: "cross-entropy dx",
  reads: { logits: "f32", labels: "f32", notes: "f32", gradient: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: gradientShader, workgroups: spread(p.rows * p.columns, adapter) }),
  cpu: ({ logits, labels, notes, gradient, output }, { rows, columns, smoothing }) => {
    const share = smoothing / columns;
    for (let row = 0; row < rows; row++) {
      const begin = row * columns;
      const [shift, logTotal, g, label] = [notes[2 * row], notes[2 * row + 1], gradient[row], labels[row]];
      for (let c = 0; c < columns; c++) {
        const hit = c === label ? 1 - smoothing : 0;
        output[begin + c] = g * (Math.exp(logits[begin + c] - shift - logTotal) - hit - share);
      }
    }
  },
});

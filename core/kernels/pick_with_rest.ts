import gradientShader from "../../shaders/pick_with_rest_gradient.wgsl" with { type: "text" };
import shader from "../../shaders/pick_with_rest.wgsl" with { type: "text" };
import { expAndLog } from "./exp_log.ts";
import { defineKernel } from "./kernel.ts";
import { spread } from "./launch.ts";
import { overRows, sumTree, withTrees } from "./strips.ts";

const value = withTrees(`${expAndLog}\n${shader}`, { ...sumTree("f32"), largestOf: ["f32", "max(x, y)"] });
const slope = `${expAndLog}\n${gradientShader}`;

const parameters = { rows: "u32", columns: "u32", count: "u32", factor: "f32" } as const;

/**
 * `output[r, k] = factor input[r, indices[r, k]]`, and `output[r, count]` the logarithm of the sum of exp(factor
 * input[r, c]) over the other columns c. The indices of a row ascend.
 */
export const pickWithRestKernel = defineKernel({
  name: "pick with rest",
  reads: { input: "f32", indices: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: value, ...overRows(p, adapter) }),
  cpu: ({ input, indices, output }, { rows, columns, count, factor }) => {
    for (let row = 0; row < rows; row++) {
      const [from, own, to] = [row * columns, row * count, row * (count + 1)];
      let shift = -Infinity;
      for (let c = 0, place = 0; c < columns; c++) {
        while (place < count && indices[own + place] < c) place++;
        const isPicked = place < count && indices[own + place] === c;
        if (!isPicked && factor * input[from + c] > shift) shift = factor * input[from + c];
      }
      let sum = 0;
      for (let c = 0, place = 0; c < columns; c++) {
        while (place < count && indices[own + place] < c) place++;
        const isPicked = place < count && indices[own + place] === c;
        if (!isPicked) sum += Math.exp(factor * input[from + c] - shift);
      }
      for (let place = 0; place < count; place++) {
        output[to + place] = factor * input[from + indices[own + place]];
      }
      output[to + count] = shift + Math.log(sum);
    }
  },
});

/** Its gradient by the input, from what it gave, `picked [rows, count + 1]`, and the `gradient` of that. */
export const pickWithRestGradientKernel = defineKernel({
  name: "pick with rest dinput",
  reads: { input: "f32", indices: "f32", picked: "f32", gradient: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader: slope, workgroups: spread(p.rows * p.columns, adapter) }),
  cpu: ({ input, indices, picked, gradient, output }, { rows, columns, count, factor }) => {
    for (let row = 0; row < rows; row++) {
      const [to, own, from] = [row * columns, row * count, row * (count + 1)];
      const [rest, scale] = [picked[from + count], factor * gradient[from + count]];
      for (let c = 0, place = 0; c < columns; c++) {
        while (place < count && indices[own + place] < c) place++;
        output[to + c] = place < count && indices[own + place] === c
          ? factor * gradient[from + place]
          : scale * Math.exp(factor * input[to + c] - rest);
      }
    }
  },
});

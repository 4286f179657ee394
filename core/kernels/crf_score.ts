import gradientShader from "../../shaders/crf_score_gradient.wgsl" with { type: "text" };
import shader from "../../shaders/crf_score.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";

/** Emissions are `[sequences, length, tags]`, transitions `[tags, tags]`, the path of tags `[sequences, length]`. */
const parameters = { sequences: "u32", length: "u32", tags: "u32" } as const;

/** The sum of the emissions and transitions along a path; positions whose tag is negative are left out. */
export const crfScoreKernel = defineKernel({
  name: "crf score",
  reads: { emissions: "f32", transitions: "f32", path: "f32" },
  writes: { output: "f32" },
  parameters,
  launch: (p, adapter) => ({ shader, workgroups: linear(p.sequences, adapter) }),
  cpu: ({ emissions, transitions, path, output }, { sequences, length, tags }) => {
    for (let sequence = 0; sequence < sequences; sequence++) {
      let sum = 0;
      let previous = -1;
      for (let at = sequence * length; at < (sequence + 1) * length; at++) {
        if (path[at] < 0) continue;
        sum += emissions[at * tags + path[at]];
        if (previous >= 0) sum += transitions[previous * tags + path[at]];
        previous = path[at];
      }
      output[sequence] = sum;
    }
  },
});

/** Gradient of the score by emissions and, for each sequence, by transitions `[sequences, tags, tags]`. */
export const crfScoreGradientKernel = defineKernel({
  name: "crf score dx",
  reads: { path: "f32", gradient: "f32" },
  writes: { emissionsGradient: "f32", transitionsGradient: "f32" },
  parameters,
  launch: (p, adapter) => ({
    shader: gradientShader,
    workgroups: linear(p.sequences * p.tags, adapter),
  }),
  cpu: ({ path, gradient, emissionsGradient, transitionsGradient }, { sequences, length, tags }) => {
    emissionsGradient.fill(0);
    transitionsGradient.fill(0);
    for (let sequence = 0; sequence < sequences; sequence++) {
      let previous = -1;
      for (let at = sequence * length; at < (sequence + 1) * length; at++) {
        if (path[at] < 0) continue;
        emissionsGradient[at * tags + path[at]] = gradient[sequence];
        if (previous >= 0) transitionsGradient[(sequence * tags + previous) * tags + path[at]] += gradient[sequence];
        previous = path[at];
      }
    }
  },
});

import adamwShader from "../../shaders/adamw.wgsl" with { type: "text" };
import clipScaleShader from "../../shaders/clip_scale.wgsl" with { type: "text" };
import sgdShader from "../../shaders/sgd.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { spread } from "./launch.ts";

/** One step of SGD with momentum, in place. The gradient is multiplied by `gradientScale [1]` first. */
export const sgdKernel = defineKernel({
  name: "sgd",
  reads: { gradient: "f32", gradientScale: "f32" },
  writes: { parameter: "f32", velocity: "f32" },
  parameters: { size: "u32", rate: "f32", momentum: "f32", weightDecay: "f32", nesterov: "u32" },
  launch: (p, adapter) => ({ shader: sgdShader, workgroups: spread(p.size, adapter) }),
  cpu: ({ gradient, gradientScale, parameter, velocity }, { size, rate, momentum, weightDecay, nesterov }) => {
    const scale = gradientScale[0];
    for (let i = 0; i < size; i++) {
      const g = gradient[i] * scale + weightDecay * parameter[i];
      const v = momentum * velocity[i] + g;
      velocity[i] = v;
      parameter[i] -= rate * (nesterov === 1 ? g + momentum * v : v);
    }
  },
});

/** One step of AdamW, in place. The gradient is multiplied by `gradientScale [1]` first. */
export const adamwKernel = defineKernel({
  name: "adamw",
  reads: { gradient: "f32", gradientScale: "f32" },
  writes: { parameter: "f32", mean: "f32", square: "f32" },
  parameters: {
    size: "u32",
    rate: "f32",
    beta1: "f32",
    beta2: "f32",
    epsilon: "f32",
    weightDecay: "f32",
    correction1: "f32",
    correction2: "f32",
  },
  launch: (p, adapter) => ({ shader: adamwShader, workgroups: spread(p.size, adapter) }),
  cpu: ({ gradient, gradientScale, parameter, mean, square }, p) => {
    const scale = gradientScale[0];
    const { size, rate, beta1, beta2, epsilon, correction1, correction2 } = p;
    const keep = 1 - rate * p.weightDecay;
    for (let i = 0; i < size; i++) {
      const g = gradient[i] * scale;
      const m = beta1 * mean[i] + (1 - beta1) * g;
      const v = beta2 * square[i] + (1 - beta2) * g * g;
      mean[i] = m;
      square[i] = v;
      parameter[i] = parameter[i] * keep - rate * (m / correction1) / (Math.sqrt(v / correction2) + epsilon);
    }
  },
});

/** `min(1, bound / norm)` from a squared norm `[1]`. */
export const clipScaleKernel = defineKernel({
  name: "clip scale",
  reads: { squaredNorm: "f32" },
  writes: { output: "f32" },
  parameters: { bound: "f32" },
  launch: () => ({ shader: clipScaleShader, workgroups: [1, 1, 1] }),
  cpu: ({ squaredNorm, output }, { bound }) => {
    const norm = Math.sqrt(squaredNorm[0]);
    output[0] = norm <= bound ? 1 : bound / norm;
  },
});

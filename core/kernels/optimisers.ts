import adamwShader from "../../shaders/adamw.wgsl" with { type: "text" };
import clipScaleShader from "../../shaders/clip_scale.wgsl" with { type: "text" };
import sgdShader from "../../shaders/sgd.wgsl" with { type: "text" };
import biasCorrectionShader from "../../shaders/bias_correction.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import { stageDoubles, type WasmRuntime } from "../backend/cpu/wasm_runtime.ts";
import { fillHoles } from "./header.ts";
import { defineKernel } from "./kernel.ts";
import { spread } from "./launch.ts";

/** What a step does that a scaled loss may skip: its `gradientScale [2]` is a loss scale's, negative for that. */
const SKIP = "if (gradientScale[0] < 0.0) { return; }";

/**
 * One step of SGD with momentum, in place. The gradient is multiplied by `gradientScale` first.
 *
 * @param scaled whether the loss was scaled, so that a negative factor says to change nothing
 */
const sgd = (scaled: boolean) => {
  const shader = fillHoles(sgdShader, { SKIP: scaled ? SKIP : "" });
  return defineKernel({
    name: scaled ? "sgd, scaled" : "sgd",
    reads: { gradient: "f32", gradientScale: "f32" },
    writes: { parameter: "f32", velocity: "f32" },
    parameters: { size: "u32", rate: "f32", momentum: "f32", weightDecay: "f32", nesterov: "u32" },
    launch: (p, adapter) => ({ shader, workgroups: spread(p.size, adapter) }),
    cpu: ({ gradient, gradientScale, parameter, velocity }, { size, rate, momentum, weightDecay, nesterov }, wasm) => {
      const scale = gradientScale[0];
      if (scaled && scale < 0) return;
      if (wasm) {
        const numbers = stageDoubles(wasm, [scale, weightDecay, momentum, rate]);
        const pointers = [parameter, gradient, velocity].map(({ byteOffset }) => byteOffset) as [
          number,
          number,
          number,
        ];
        return wasm.kernels.sgd(size, ...pointers, numbers, nesterov === 1);
      }
      for (let i = 0; i < size; i++) {
        const g = gradient[i] * scale + weightDecay * parameter[i];
        const v = momentum * velocity[i] + g;
        velocity[i] = v;
        parameter[i] -= rate * (nesterov === 1 ? g + momentum * v : v);
      }
    },
  });
};

/** One step of SGD; the gradient is multiplied by `gradientScale [1]`. */
export const sgdKernel = sgd(false);
/** One step of SGD on gradients of a scaled loss; see {@link lossScaleKernel}. */
export const scaledSgdKernel = sgd(true);

const adamwParameters = {
  size: "u32",
  rate: "f32",
  beta1: "f32",
  beta2: "f32",
  epsilon: "f32",
  weightDecay: "f32",
} as const;

type AdamwViews = Readonly<Record<"gradient" | "gradientScale" | "parameter" | "mean" | "square", Floats>>;

function adamwStep(
  { gradient, gradientScale, parameter, mean, square }: AdamwViews,
  p: Readonly<Record<keyof typeof adamwParameters, number>>,
  correction1: number,
  correction2: number,
  wasm: WasmRuntime | null,
): void {
  const scale = gradientScale[0];
  const { size, rate, beta1, beta2, epsilon } = p;
  const keep = 1 - rate * p.weightDecay;
  if (wasm) {
    const moments = [beta1, 1 - beta1, beta2, 1 - beta2];
    const numbers = stageDoubles(wasm, [scale, ...moments, keep, rate, correction1, correction2, epsilon]);
    const pointers = [parameter, gradient, mean, square].map(({ byteOffset }) => byteOffset);
    return wasm.kernels.adamw(size, ...pointers as [number, number, number, number], numbers);
  }
  for (let i = 0; i < size; i++) {
    const g = gradient[i] * scale;
    const m = beta1 * mean[i] + (1 - beta1) * g;
    const v = beta2 * square[i] + (1 - beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    parameter[i] = parameter[i] * keep - rate * (m / correction1) / (Math.sqrt(v / correction2) + epsilon);
  }
}

const plainAdamw = fillHoles(adamwShader, { SKIP: "", CORRECTION1: "p.correction1", CORRECTION2: "p.correction2" });

/** One step of AdamW, in place. The gradient is multiplied by `gradientScale [1]` first. */
export const adamwKernel = defineKernel({
  name: "adamw",
  reads: { gradient: "f32", gradientScale: "f32" },
  writes: { parameter: "f32", mean: "f32", square: "f32" },
  parameters: { ...adamwParameters, correction1: "f32", correction2: "f32" },
  launch: (p, adapter) => ({ shader: plainAdamw, workgroups: spread(p.size, adapter) }),
  cpu: (views, p, wasm) => adamwStep(views, p, p.correction1, p.correction2, wasm),
});

// Steps that were skipped do not count, and how many those are is known on the device alone.
const scaledAdamw = biasCorrectionShader + fillHoles(adamwShader, {
  SKIP: `${SKIP}
  let taken = p.step - gradientScale[1];
  let correction1 = biasCorrection(taken * p.logBeta1);
  let correction2 = biasCorrection(taken * p.logBeta2);`,
  CORRECTION1: "correction1",
  CORRECTION2: "correction2",
});

/** One step of AdamW on gradients of a scaled loss; see {@link lossScaleKernel}. `step` counts those skipped, too. */
export const scaledAdamwKernel = defineKernel({
  name: "adamw, scaled",
  reads: { gradient: "f32", gradientScale: "f32" },
  writes: { parameter: "f32", mean: "f32", square: "f32" },
  parameters: { ...adamwParameters, step: "f32", logBeta1: "f32", logBeta2: "f32" },
  launch: (p, adapter) => ({ shader: scaledAdamw, workgroups: spread(p.size, adapter) }),
  cpu: (views, p, wasm) => {
    const [scale, skipped] = views.gradientScale;
    if (scale < 0) return;
    const taken = p.step - skipped;
    adamwStep(views, p, -Math.expm1(taken * p.logBeta1), -Math.expm1(taken * p.logBeta2), wasm);
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

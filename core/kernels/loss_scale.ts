import shader from "../../shaders/loss_scale.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";

/**
 * A step of dynamic loss scaling: from the squared norm `[1]` of scaled gradients and the state `[3]` (scale, finite
 * steps since it last changed, steps skipped) comes `gradientScale [2]`: the factor that unscales the gradients and
 * keeps their norm below a bound (0: none), negative if they are not finite, and the steps skipped so far. Such a step
 * halves the scale; after `interval` others it is doubled, to `most` at most. A scale below 1 stays below.
 */
export const lossScaleKernel = defineKernel({
  name: "loss scale",
  reads: { squaredNorm: "f32" },
  writes: { state: "f32", gradientScale: "f32" },
  parameters: { bound: "f32", interval: "f32", most: "f32" },
  launch: () => ({ shader, workgroups: [1, 1, 1] }),
  cpu: ({ squaredNorm: [squared], state, gradientScale }, { bound, interval, most }) => {
    const [scale, count] = state;
    if (Number.isFinite(squared) && scale >= 1) {
      const norm = Math.sqrt(squared) / scale;
      gradientScale[0] = (bound > 0 && norm > bound ? bound / norm : 1) / scale;
      const grows = count + 1 >= interval;
      state[0] = grows ? Math.min(scale * 2, most) : scale;
      state[1] = grows ? 0 : count + 1;
    } else {
      gradientScale[0] = -1;
      state[0] = scale / 2;
      state[1] = 0;
      state[2]++;
    }
    gradientScale[1] = state[2];
  },
});

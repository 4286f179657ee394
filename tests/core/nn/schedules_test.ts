import assert from "node:assert/strict";
import { interpolate, learningRateAt, type LearningRateSchedule } from "../../../core/nn/schedules.ts";

const none = { warmupSteps: 0, warmupEpochs: 0 };

function close(actual: number, expected: number) {
  assert.ok(Math.abs(actual - expected) <= 1e-12, `${actual} is not ${expected}`);
}

Deno.test("interpolation keeps to its ends outside of them", () => {
  for (const curve of ["linear", "cosine", "step"] as const) {
    assert.equal(interpolate(curve, 8, 2, -1), 8);
    assert.equal(interpolate(curve, 8, 2, 0), 8);
    assert.equal(interpolate(curve, 8, 2, 1), 2);
    assert.equal(interpolate(curve, 8, 2, 7), 2);
  }
});

Deno.test("interpolation takes the curve's way", () => {
  close(interpolate("linear", 8, 2, 0.25), 6.5);
  close(interpolate("cosine", 8, 2, 0.5), 5);
  close(interpolate("cosine", 0, 1, 1 / 3), 0.25);
  assert.equal(interpolate("step", 8, 2, 0.999), 8);
});

Deno.test("a constant schedule gives the base at each step", () => {
  const schedule: LearningRateSchedule = { use: "constant", ...none };
  assert.deepEqual([0, 50, 99, 500].map((step) => learningRateAt(schedule, step, 100, 10, 0.3)), [0.3, 0.3, 0.3, 0.3]);
});

Deno.test("a cosine schedule has the values of PyTorch's CosineAnnealingLR", () => {
  // [CosineAnnealingLR(SGD(lr=0.1), T_max=4, eta_min=0.01) at epochs 0 to 4], by its closed form
  const schedule: LearningRateSchedule = { use: "cosine", final: 0.1, ...none };
  const expected = [0.1, 0.0868198051533946, 0.055, 0.0231801948466054, 0.01];
  expected.forEach((value, step) => close(learningRateAt(schedule, step, 4, 1, 0.1), value));
});

Deno.test("a linear schedule falls by equal parts to its final value and stays there", () => {
  const schedule: LearningRateSchedule = { use: "linear", final: 0.5, ...none };
  [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5].forEach((value, step) => close(learningRateAt(schedule, step, 5, 1), value));
});

Deno.test("milestones count in epochs and multiply the learning rate", () => {
  const schedule: LearningRateSchedule = { use: "steps", milestones: [150, 180, 210], factor: 0.1, ...none };
  const at = (step: number) => learningRateAt(schedule, step, 2400, 10, 0.05);
  close(at(0), 0.05);
  close(at(1499), 0.05);
  close(at(1500), 0.005);
  close(at(1800), 0.0005);
  close(at(2399), 0.00005);
});

Deno.test("warm-up rises in equal parts from its first step, and the schedule takes what remains", () => {
  const schedule: LearningRateSchedule = { use: "linear", final: 0, warmupSteps: 4, warmupEpochs: 0 };
  const expected = [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25, 0];
  expected.forEach((value, step) => close(learningRateAt(schedule, step, 8, 4), value));
});

Deno.test("warm-up in epochs is warm-up in their steps", () => {
  const steps: LearningRateSchedule = { use: "cosine", final: 0, warmupSteps: 5, warmupEpochs: 0 };
  const epochs: LearningRateSchedule = { ...steps, warmupSteps: 0, warmupEpochs: 0.5 };
  for (let step = 0; step <= 40; step++) {
    assert.equal(learningRateAt(epochs, step, 40, 10), learningRateAt(steps, step, 40, 10));
  }
});

Deno.test("a training that is shorter than its warm-up stays in it", () => {
  const schedule: LearningRateSchedule = { use: "cosine", final: 0, warmupSteps: 10, warmupEpochs: 0 };
  close(learningRateAt(schedule, 4, 5, 5), 0.5);
});

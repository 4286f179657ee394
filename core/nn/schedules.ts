import { expectArguments } from "../arguments.ts";

/** How far training is: `step` counts from 0 and reaches `totalSteps` when training is over. */
export interface Progress {
  /** Steps done. */
  step: number;
  /** Steps of the whole training. */
  totalSteps: number;
  /** Steps of one epoch. */
  stepsPerEpoch: number;
}

/** The way a value takes from one end to the other. */
export type Curve = "linear" | "cosine" | "step";

/** Steps and epochs (fractions allowed) over which the learning rate rises; they are added together. */
export interface WarmUp {
  /** Steps over which it rises. */
  warmupSteps: number;
  /** The same in epochs. */
  warmupEpochs: number;
}

/**
 * A learning-rate schedule. `final` is the factor at the end of training; `milestones` are epochs from the start of
 * training, at each of which the learning rate is multiplied by `factor`.
 */
export type LearningRateSchedule =
  | WarmUp & { use: "constant" }
  | WarmUp & { use: "linear" | "cosine"; final: number }
  | WarmUp & { use: "steps"; milestones: readonly number[]; factor: number };

/**
 * A value on its way between two others: straight, along half a cosine wave, or in one jump at the end.
 *
 * @param curve the way between
 * @param from value at 0
 * @param to value at 1
 * @param t part of the way done; below 0 counts as 0, above 1 as 1
 * @returns the value at `t`
 */
export function interpolate(curve: Curve, from: number, to: number, t: number): number {
  if (t <= 0) return from;
  if (t >= 1) return to;
  if (curve === "step") return from;
  const eased = curve === "cosine" ? (1 - Math.cos(Math.PI * t)) / 2 : t;
  return from + (to - from) * eased;
}

/** Steps of a warm-up, its epochs counted in them. */
export function warmUpSteps({ warmupSteps, warmupEpochs }: WarmUp, stepsPerEpoch: number): number {
  return warmupSteps + Math.round(warmupEpochs * stepsPerEpoch);
}

/**
 * The learning rate of one step. Warm-up rises in equal parts, `1/w, 2/w, ... 1` of the base over its `w` steps, so
 * that no step is lost to a rate of 0. What follows is spread over the steps that remain: it starts at the base and
 * would reach `final` at `totalSteps`, one step after the last (as PyTorch's `CosineAnnealingLR` with `T_max` steps).
 *
 * @param step the step about to be taken, from 0
 * @param totalSteps steps of the whole training, warm-up included
 * @param stepsPerEpoch steps of one epoch, which gives epochs their length
 * @param base the learning rate that the schedule scales; left out, the result is the bare factor
 * @returns the learning rate at `step`
 *
 * @example
 * ```ts
 * import { learningRateAt } from "@opdf/opdf";
 *
 * const cosine = { use: "cosine", final: 0, warmupSteps: 0, warmupEpochs: 0 } as const;
 * learningRateAt(cosine, 50, 100, 10, 0.1); // 0.05
 * ```
 */
export function learningRateAt(
  schedule: LearningRateSchedule,
  step: number,
  totalSteps: number,
  stepsPerEpoch: number,
  base = 1,
): number {
  expectArguments("learningRateAt", {
    schedule: [schedule, "a map"],
    step: [step, "a number"],
    totalSteps: [totalSteps, "a number"],
    stepsPerEpoch: [stepsPerEpoch, "a number"],
    base: [base, "a number"],
  });
  const warmup = warmUpSteps(schedule, stepsPerEpoch);
  if (step < warmup) return base * (step + 1) / warmup;
  switch (schedule.use) {
    case "constant":
      return base;
    case "linear":
    case "cosine": {
      const t = (step - warmup) / Math.max(1, totalSteps - warmup);
      return base * interpolate(schedule.use, 1, schedule.final, t);
    }
    case "steps": {
      const passed = schedule.milestones.filter((epoch) => step >= epoch * stepsPerEpoch).length;
      return base * schedule.factor ** passed;
    }
  }
}

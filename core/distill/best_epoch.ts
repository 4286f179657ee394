import type { Evaluation } from "./evaluate.ts";

/** The best value of the monitored metric, the epoch (from 1) it was found in, and epochs since then without a better. */
export interface Best {
  readonly value: number;
  readonly epoch: number;
  readonly waited: number;
}

/** A metric that training goes by. */
export type Monitor = "validation.accuracy" | "validation.loss";

/** The value of the monitored metric. */
export function monitored(monitor: Monitor, { accuracy, loss }: Evaluation): number {
  return monitor === "validation.accuracy" ? accuracy : loss;
}

/** Takes one more epoch into account; the epoch is the best one if it beats the best so far by more than `minDelta`. */
export function updateBest(best: Best | null, monitor: Monitor, value: number, epoch: number, minDelta: number): Best {
  const gain = best === null || !Number.isFinite(best.value)
    ? Infinity
    : monitor === "validation.accuracy"
    ? value - best.value
    : best.value - value;
  return gain > minDelta ? { value, epoch, waited: 0 } : { ...best!, waited: best!.waited + 1 };
}

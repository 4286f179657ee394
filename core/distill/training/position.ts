import type { LossScale } from "../../nn/grad_scaler.ts";
import type { LossMetrics } from "../losses/epoch.ts";
import type { Best } from "./monitor.ts";

/** Where training stands. Everything random follows from the recipe's seed and the step, so a step is all of it. */
export interface Position {
  /** Steps done. */
  readonly step: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Part of the training that was done best, by the monitored metric. */
  readonly best: Best | null;
  /** Mean of each loss over the last log line; empty before the first. */
  readonly losses: readonly number[];
  /** The metrics that losses reported at the end of the last epoch. */
  readonly lossMetrics: LossMetrics;
  /** Where the loss's scale stood at the last log line; `null` if none was scaled. */
  readonly lossScale: LossScale | null;
}

/** The beginning of training. */
export const START: Position = { step: 0, seconds: 0, best: null, losses: [], lossMetrics: {}, lossScale: null };

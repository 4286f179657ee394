import type { FinishedRun } from "./outcome.ts";

/** Seconds of training that an epoch takes, the mean over runs of one row. @param runs at least one */
export function secondsAnEpoch(runs: readonly FinishedRun[]): number {
  return meanOf(runs, ({ summary }) => summary.seconds.train / summary.epochs);
}

/** Seconds of training, the mean over runs. @param runs at least one */
export function trainingSeconds(runs: readonly FinishedRun[]): number {
  return meanOf(runs, ({ summary }) => summary.seconds.train);
}

/** Whole epochs that fit in some seconds; 0 where one takes longer. */
export function epochsIn(seconds: number, perEpoch: number): number {
  return Math.floor(seconds / perEpoch);
}

function meanOf(runs: readonly FinishedRun[], of: (run: FinishedRun) => number): number {
  return runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
}

import { finished, type Outcome } from "./outcome.ts";

/** Says of runs on several devices, numbers of threads or matrix libraries that their seconds are no comparison. */
export function devicesNote(runs: readonly Outcome[]): string[] {
  // Results of an older version do not say it.
  const devices = new Set(finished(runs).flatMap(({ summary }) => summary.device ?? []));
  if (devices.size < 2) return [];
  return [`Seconds are of different devices, and not comparable: ${[...devices].join("; ")}.`];
}

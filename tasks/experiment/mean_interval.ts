import type { Moments } from "./statistics.ts";
import { tQuantile } from "./student_t.ts";

/** Whether a metric is a part of a whole, from 0 to 1; else it is a correlation from -1. */
export const isShare = (metric: string): boolean => !["matthews", "pearson", "spearman"].includes(metric);

/**
 * Where the mean of many more seeds would be, with 95 % certainty by Student's t, of what the metric can be at all.
 *
 * @returns `null` of fewer than two runs
 */
export function meanInterval(
  { mean, deviation, count }: Moments,
  metric: string,
): readonly [low: number, high: number] | null {
  if (deviation === null) return null;
  const half = tQuantile(0.975, count - 1) * deviation / Math.sqrt(count);
  return [Math.max(isShare(metric) ? 0 : -1, mean - half), Math.min(1, mean + half)];
}

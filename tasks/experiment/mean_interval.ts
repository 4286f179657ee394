import { halfWidth, type Moments } from "./statistics.ts";

/** Whether a metric is a part of a whole, from 0 to 1; else it is a correlation from -1. */
export const isShare = (metric: string): boolean => !["matthews", "pearson", "spearman"].includes(metric);

/**
 * Where the mean of many more seeds would be, with 95 % certainty by Student's t, of what the metric can be at all.
 *
 * @returns `null` where noise is not known: of fewer than two runs, or of runs that are all alike
 */
export function meanInterval(moments: Moments, metric: string): readonly [low: number, high: number] | null {
  const half = halfWidth(moments);
  if (half === null) return null;
  return [Math.max(isShare(metric) ? 0 : -1, moments.mean - half), Math.min(1, moments.mean + half)];
}

import { tQuantile } from "./student_t.ts";

/** A sample in short. */
export interface Moments {
  /** How many numbers there are. */
  readonly count: number;
  readonly mean: number;
  /** The sample's standard deviation (n - 1); `null` for fewer than two numbers. */
  readonly deviation: number | null;
}

/** Mean and standard deviation; `null` of no numbers. */
export function momentsOf(values: readonly number[]): Moments | null {
  const count = values.length;
  if (count === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count, mean, deviation: count < 2 ? null : Math.sqrt(squares / (count - 1)) };
}

/**
 * Half of the 95 % interval of a mean by Student's t.
 *
 * @returns `null` of fewer than two numbers, and of numbers that are all alike: a few steps of a coarse metric that
 * happen to be the same say nothing of how far others would be
 */
export function halfWidth(moments: Moments): number | null {
  const { count } = moments;
  const deviation = spreadOf(moments);
  return deviation === null ? null : tQuantile(0.975, count - 1) * deviation / Math.sqrt(count);
}

/** A deviation that is more than rounding; else `null`. */
function spreadOf({ mean, deviation }: Moments): number | null {
  return deviation === null || deviation <= 1e-9 * Math.abs(mean) ? null : deviation;
}

/** How far two means are apart, and within which bounds that is known. */
export interface Difference {
  readonly value: number;
  /** Its 95 % interval; `null` where noise is not known: of one run, or of runs that are all alike. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Whether the interval holds 0; `null` without one. */
  readonly withinNoise: boolean | null;
}

/**
 * The difference of two means with its 95 % interval by Welch's t: the samples may differ in size and spread, and are
 * taken as independent. Runs of equal seed share data and initial weights, so that this is rather too wide than too
 * narrow.
 */
export function differenceOf(row: Moments, baseline: Moments): Difference {
  const value = row.mean - baseline.mean;
  if (row.deviation === null || baseline.deviation === null) return bounded(value, null);
  if (spreadOf(row) === null && spreadOf(baseline) === null) return bounded(value, null);
  const [a, b] = [row, baseline].map(({ deviation, count }) => deviation! ** 2 / count);
  const degrees = (a + b) ** 2 / (a ** 2 / (row.count - 1) + b ** 2 / (baseline.count - 1));
  return bounded(value, tQuantile(0.975, degrees) * Math.sqrt(a + b));
}

/**
 * The mean difference of paired numbers with its 95 % interval by Student's t over the pairs: what two runs of a seed
 * have in common, data and starting weights, is no part of its width.
 *
 * @returns `null` of no pairs
 */
export function pairedDifference(pairs: readonly (readonly [ours: number, theirs: number])[]): Difference | null {
  const moments = momentsOf(pairs.map(([ours, theirs]) => ours - theirs));
  return moments && bounded(moments.mean, halfWidth(moments));
}

function bounded(value: number, half: number | null): Difference {
  if (half === null) return { value, interval: null, withinNoise: null };
  return { value, interval: [value - half, value + half], withinNoise: Math.abs(value) <= half };
}

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

/** How far two means are apart, and within which bounds that is known. */
export interface Difference {
  readonly value: number;
  /** Its 95 % interval; `null` where a sample has fewer than two numbers. */
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
  if (row.deviation === null || baseline.deviation === null) return { value, interval: null, withinNoise: null };
  const [a, b] = [row, baseline].map(({ deviation, count }) => deviation! ** 2 / count);
  // Both spreads 0: the interval is the value itself, whatever the degrees of freedom.
  const degrees = a + b === 0 ? 1 : (a + b) ** 2 / (a ** 2 / (row.count - 1) + b ** 2 / (baseline.count - 1));
  const half = tQuantile(0.975, degrees) * Math.sqrt(a + b);
  return { value, interval: [value - half, value + half], withinNoise: Math.abs(value) <= half };
}

import { commonMetric } from "./common_metric.ts";
import type { Scalar } from "./experiment.ts";
import { finished } from "./outcome.ts";
import { rowStatistics } from "./row_statistics.ts";
import type { BudgetPart } from "./run_budgets.ts";
import { median } from "../support/median.ts";
import { differenceOf, type Moments, momentsOf } from "./statistics.ts";

/**
 * Where a point stands among all; "better" and "quicker" are by more than noise.
 *
 * - `behind`: another is better, and no slower.
 * - `front`: it is better than each that is no slower.
 * - `equal`: it is better than each quicker one, but not than another one of the same time.
 * - `tied`: a quicker one is as good within noise, and by the means it is the best of those that are no slower.
 * - `near`: neither, but within noise.
 */
export type Standing = "front" | "equal" | "tied" | "near" | "behind";

/** Whether a point is on Pareto's front, be it by the means alone. */
export const isOnFront = (standing: Standing): boolean => !["near", "behind"].includes(standing);

/**
 * Seconds of training over runs. Clocks err to one side and in bouts, as when something else is at work on the machine:
 * the middle run is what says how long a training takes.
 */
export interface Times extends Moments {
  readonly median: number;
  /** How far runs are off: 1.4826 times their median distance from the median; `null` of one run. */
  readonly spread: number | null;
}

/** A quality that was reached in a time. */
export interface Reached {
  /** Seconds of training. */
  readonly seconds: Times;
  /** The metric on the test examples, a part of 1. */
  readonly test: Moments;
}

/** A row at a budget. */
export interface FrontPoint extends Reached {
  readonly row: string;
  readonly budget: string;
  /** The name of the metric. */
  readonly metric: string;
  /** Epochs that its runs had, the mean where training stopped early. */
  readonly epochs: number;
  /** The value that the row was tuned to at this budget; `null` without tuning. */
  readonly value: Scalar | null;
  readonly standing: Standing;
}

/** Times of some runs. @param seconds at least one */
export function timesOf(seconds: readonly number[]): Times {
  const middle = median(seconds);
  // That factor makes it the standard deviation where times are normal.
  const spread = seconds.length < 2 ? null : 1.4826 * median(seconds.map((time) => Math.abs(time - middle)));
  return { ...momentsOf(seconds)!, median: middle, spread };
}

/**
 * Where each of some points stands.
 *
 * A difference of the metric is noise by Welch's t. Two times are equal within noise where their medians differ by less
 * than twice the deviation of their difference, each point having its own spread, or if that is larger the usual one of
 * all: a few runs may be alike by chance, and the clock is the same for all. It is not divided by the root of the runs,
 * as those of a row come one after the other and share what disturbs them. Of one run noise is not known: then no
 * metric is better than another, and times are taken as they are.
 */
export function standingsOf(points: readonly Reached[]): Standing[] {
  const parts = points.flatMap(({ seconds }) => seconds.spread === null ? [] : [seconds.spread / seconds.median]);
  const usual = parts.length > 0 ? median(parts) : 0;
  const spreadOf = ({ spread, median }: Times) => Math.max(spread ?? 0, usual * median);
  const isQuicker = ({ seconds: a }: Reached, { seconds: b }: Reached) =>
    b.median - a.median > 2 * Math.hypot(spreadOf(a), spreadOf(b));
  return points.map((point) => {
    const rivals = points.filter((other) => other !== point && !isQuicker(point, other));
    if (rivals.some((other) => isBetter(other, point))) return "behind";
    const equals = rivals.filter((other) => !isBetter(point, other));
    if (equals.length === 0) return "front";
    const quicker = equals.filter((other) => isQuicker(other, point));
    if (quicker.length === 0) return "equal";
    const { mean } = point.test;
    const isBest = !equals.some(({ test }) => test.mean > mean) && !quicker.some(({ test }) => test.mean === mean);
    return isBest ? "tied" : "near";
  });
}

function isBetter({ test: a }: Reached, { test: b }: Reached): boolean {
  const { value, withinNoise } = differenceOf(a, b);
  return value > 0 && withinNoise === false;
}

/**
 * The points of an experiment with budgets, by budget and row, and where each stands. A row that is measured by another
 * metric than the baseline is held against nobody, and is no point; neither is one of which no run came to its end, nor
 * one of the {@link repeatsOf} the experiment.
 */
export function frontOf(parts: readonly BudgetPart[]): FrontPoint[] {
  const repeats = repeatsOf(parts);
  const points = parts.flatMap(({ budget, experiment, results }) => {
    const lines = rowStatistics(experiment, results);
    const metric = commonMetric(lines, experiment.baseline);
    return lines.flatMap(({ name, value, metric: own, test, seconds: mean }) => {
      if (!budget || own !== metric || !test || !mean) return [];
      if (repeats.some((repeat) => repeat.row === name && repeat.budget === budget.name)) return [];
      const runs = finished(results.find((result) => result.name === name)!.runs);
      const epochs = momentsOf(runs.map(({ summary }) => summary.epochs))!.mean;
      const seconds = timesOf(runs.map(({ summary }) => summary.seconds.train));
      return [{ row: name, budget: budget.name, metric, epochs: +epochs.toPrecision(6), value, seconds, test }];
    });
  });
  const standings = standingsOf(points);
  return points.map((point, index) => ({ ...point, standing: standings[index] }));
}

/** A row whose runs at a budget are those of a shorter one. */
export interface Repeat {
  readonly row: string;
  readonly budget: string;
  readonly shorter: string;
}

/** The rows that have as many whole epochs in a longer time as in a shorter one: the same runs, and no second point. */
export function repeatsOf(parts: readonly BudgetPart[]): Repeat[] {
  const entries = parts.flatMap(({ budget, results }) =>
    results.flatMap(({ name, runs }) =>
      budget && runs.length > 0
        ? [{ row: name, budget: budget.name, runs: JSON.stringify(runs.map(({ folder }) => folder)) }]
        : []
    )
  );
  return entries.flatMap(({ row, budget, runs }, index) => {
    const first = entries.slice(0, index).find((other) => other.row === row && other.runs === runs);
    return first ? [{ row, budget, shorter: first.budget }] : [];
  });
}

/** The rows of some points, those of the longest budget first. */
export function rowsOf(points: readonly FrontPoint[]): string[] {
  const longest = points.at(-1)?.budget;
  const ordered = [...points.filter(({ budget }) => budget === longest), ...points];
  return [...new Set(ordered.map(({ row }) => row))];
}

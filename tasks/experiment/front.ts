import type { Scalar } from "./experiment.ts";
import { rowStatistics } from "./row_statistics.ts";
import type { BudgetPart } from "./run_budgets.ts";
import { differenceOf, type Moments } from "./statistics.ts";

/**
 * Where a point stands among all. It is `behind` if another is better by more than noise, and not slower by more than
 * noise. Else it is on Pareto's `front` if by the means no other is as good in less time, or better in as much, and
 * every quicker one is worse by more than noise; `tied` if one of those is not, so that the longer training may have
 * bought nothing; and `near` the front if it is not on it.
 */
export type Standing = "front" | "tied" | "near" | "behind";

/** Whether a point is on Pareto's front by the means, noise or not. */
export const isOnFront = (standing: Standing): boolean => standing === "front" || standing === "tied";

/** A quality that was reached in a time. */
export interface Reached {
  /** Seconds of training. */
  readonly seconds: Moments;
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

/** Where each of some points stands. Of one run noise is not known: then nothing is beyond it. */
export function standingsOf(points: readonly Reached[]): Standing[] {
  return points.map((point) => {
    if (points.some((other) => isBetter(other, point) && !isSlower(other, point))) return "behind";
    if (points.some((other) => dominates(other, point))) return "near";
    const quicker = points.filter(({ seconds }) => seconds.mean < point.seconds.mean);
    return quicker.every((other) => isBetter(point, other)) ? "front" : "tied";
  });
}

const isBetter = (a: Reached, b: Reached) => isMore(a.test, b.test);
const isSlower = (a: Reached, b: Reached) => isMore(a.seconds, b.seconds);

/** Whether a mean is above another by more than noise. */
function isMore(a: Moments, b: Moments): boolean {
  const { value, withinNoise } = differenceOf(a, b);
  return value > 0 && withinNoise === false;
}

function dominates(a: Reached, b: Reached): boolean {
  const [sooner, better] = [b.seconds.mean - a.seconds.mean, a.test.mean - b.test.mean];
  return sooner >= 0 && better >= 0 && (sooner > 0 || better > 0);
}

/**
 * The points of an experiment with budgets, by budget and row, and where each stands. A row that is measured by another
 * metric than the baseline is held against nobody, and is no point; neither is one of which no run came to its end.
 */
export function frontOf(parts: readonly BudgetPart[]): FrontPoint[] {
  const points = parts.flatMap(({ budget, experiment, results }) => {
    const lines = rowStatistics(experiment, results);
    const metric = metricOf(lines, experiment.baseline);
    return lines.flatMap(({ name, value, metric: own, test, seconds, secondsPerEpoch }) => {
      if (!budget || own !== metric || !test || !seconds || !secondsPerEpoch) return [];
      const epochs = seconds.mean / secondsPerEpoch.mean;
      return [{ row: name, budget: budget.name, metric, epochs: +epochs.toPrecision(6), value, seconds, test }];
    });
  });
  const standings = standingsOf(points);
  return points.map((point, index) => ({ ...point, standing: standings[index] }));
}

/** The metric that rows are compared by: the baseline's, or where that has no run the first's that has one. */
function metricOf(lines: ReturnType<typeof rowStatistics>, baseline: string): string | undefined {
  const measured = lines.filter(({ test }) => test);
  return (measured.find(({ name }) => name === baseline) ?? measured.at(0))?.metric;
}

/** The rows of some points, as they are in the longest budget, in which all have time that have some in another. */
export function rowsOf(points: readonly FrontPoint[]): string[] {
  const longest = points.at(-1)?.budget;
  const ordered = [...points.filter(({ budget }) => budget === longest), ...points];
  return [...new Set(ordered.map(({ row }) => row))];
}

import type { RowStatistics } from "./row_statistics.ts";

type Measured = Pick<RowStatistics, "name" | "metric" | "test">;

/** The metric that rows are compared by: the baseline's, or where that has no run the first's that has one. */
export function commonMetric(lines: readonly Measured[], baseline: string): string {
  const measured = lines.filter(({ test }) => test);
  return (measured.find(({ name }) => name === baseline) ?? measured.at(0))?.metric ?? "accuracy";
}

/** The rows that are measured by another metric than that, and so are held against nobody. */
export function rowsOfOthers<Line extends Measured>(lines: readonly Line[], baseline: string): Line[] {
  const metric = commonMetric(lines, baseline);
  return lines.filter(({ test, metric: own }) => test && own !== metric);
}

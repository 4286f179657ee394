import type { Experiment } from "./experiment.ts";
import { lengthenedRow, tunedRow } from "./fixed_row.ts";
import { asPart, type Executor, type Runner } from "./outcome.ts";
import { rowStatistics } from "./row_statistics.ts";
import { type RowResult, runGrid } from "./run_grid.ts";

/**
 * Runs the rows that differ from the baseline by more than noise again, and the baseline, with seeds that no choice has
 * seen, each with the value that it was tuned to.
 *
 * @param output the experiment's folder
 * @returns the results with these runs; as they are where no row wins or loses, or the experiment confirms nothing
 */
export async function confirmed(
  experiment: Experiment,
  results: readonly RowResult[],
  output: string,
  executor: Runner | Executor,
): Promise<RowResult[]> {
  const { confirm, tune, baseline } = experiment;
  const beyond = !confirm ? [] : rowStatistics(experiment, results)
    .filter(({ difference }) => difference?.withinNoise === false).map(({ name }) => name);
  if (!confirm || beyond.length === 0) return [...results];
  const rows = experiment.rows.filter(({ name }) => name === baseline || beyond.includes(name)).map((row) => {
    const { epochs, tuned } = results.find(({ name }) => name === row.name)!;
    const timed = row.equalSeconds === null ? row : lengthenedRow(row, epochs!, `equalSeconds of "${row.name}"`);
    return tunedRow(timed, tune, tuned?.chosen ?? null);
  });
  const fresh = { ...experiment, rows, seeds: confirm, tune: null };
  const again = await runGrid(fresh, output, asPart(executor, "confirming "));
  return results.map((result) => {
    const runs = again.find(({ name }) => name === result.name)?.runs;
    return runs ? { ...result, confirmed: runs } : result;
  });
}

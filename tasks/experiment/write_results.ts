import { join } from "node:path";
import { REPORT } from "../../core/distill/run_folder.ts";
import { kindOfPath, movePath, removePath, writeFileAtomically } from "../../core/files.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { VERSION } from "../../core/version.ts";
import type { Experiment } from "./experiment.ts";
import { frontOf } from "./front.ts";
import { type RowStatistics, rowStatistics } from "./row_statistics.ts";
import type { BudgetPart } from "./run_budgets.ts";
import type { RowResult } from "./run_grid.ts";
import { markdownOf, type Table } from "./tables.ts";

/** One line of the CSV file by column; metrics are parts of 1. */
const columns: readonly (readonly [string, (line: RowStatistics) => string | number | boolean | null | undefined])[] = [
  ["row", ({ name }) => name],
  ["value", ({ value }) => value],
  ["runs", ({ test }) => test?.count ?? 0],
  ["failed", ({ failed }) => failed],
  ["test", ({ test }) => test?.mean],
  ["test_sd", ({ test }) => test?.deviation],
  ["validation", ({ validation }) => validation?.mean],
  ["validation_sd", ({ validation }) => validation?.deviation],
  ["train", ({ train }) => train?.mean],
  ["parameters_training", ({ parametersTraining }) => parametersTraining],
  ["parameters_inference", ({ parametersInference }) => parametersInference],
  ["increase_rate", ({ parameterIncreaseRate }) => parameterIncreaseRate],
  ["seconds", ({ seconds }) => seconds?.mean],
  ["seconds_sd", ({ seconds }) => seconds?.deviation],
  ["seconds_per_epoch", ({ secondsPerEpoch }) => secondsPerEpoch?.mean],
  ["peak_bytes", ({ peakBytes }) => peakBytes],
  ["difference", ({ difference }) => difference?.value],
  ["difference_low", ({ difference }) => difference?.interval?.[0]],
  ["difference_high", ({ difference }) => difference?.interval?.[1]],
  ["within_noise", ({ difference }) => difference?.withinNoise],
];

/** Columns that only some experiments have. */
const confirmedColumns: typeof columns = [
  ["confirmed", ({ confirmed }) => confirmed?.difference?.value],
  ["confirmed_low", ({ confirmed }) => confirmed?.difference?.interval?.[0]],
  ["confirmed_high", ({ confirmed }) => confirmed?.difference?.interval?.[1]],
];

/**
 * The main table as CSV (RFC 4180), numbers unrounded, nothing where there is no number.
 *
 * @param lines with the budget that each is at, where there are budgets
 */
export function csvOf(lines: readonly (RowStatistics & { readonly budget?: string })[]): string {
  const cell = (value: unknown) => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const others = [...new Set(lines.flatMap(({ others }) => Object.keys(others)))];
  const all = [...columns, ...lines.some(({ confirmed }) => confirmed) ? confirmedColumns : []];
  const atBudgets = lines.some(({ budget }) => budget !== undefined);
  const rows = lines.map((line) => [
    ...all.map(([, of]) => cell(of(line))),
    ...others.map((name) => cell(line.others[name]?.mean)),
    ...(atBudgets ? [cell(line.budget)] : []),
  ]);
  const header = [
    ...all.map(([name]) => name),
    ...others.map((name) => `test_${name}`),
    ...(atBudgets ? ["budget"] : []),
  ];
  return [header, ...rows].map((row) => row.join(",") + "\r\n").join("");
}

/** Every run. */
export const RESULTS = "results.json";

/**
 * Writes `results.json` (every run), `results.md` (the tables) and `results.csv` (the main one) to the experiment's
 * folder.
 *
 * @param results of budgets those of the longest
 * @param more what else the JSON file says: a sweep's choice
 * @param parts the experiment at each budget; none without budgets
 */
export async function writeResults(
  folder: string,
  experiment: Experiment,
  results: readonly RowResult[],
  tables: readonly Table[],
  more: { readonly notes?: readonly string[]; readonly [key: string]: unknown } = {},
  parts: readonly BudgetPart[] = [],
): Promise<void> {
  const { name, seeds, baseline, tune, resample, confirm } = experiment;
  const lines = rowStatistics(experiment, results);
  const budgets = parts.map(({ budget, experiment, results, leftOut }) => {
    return { budget: budget!.name, lines: rowStatistics(experiment, results), results, leftOut };
  });
  const common = tune && tune.common !== null ? rowStatistics(experiment, results, "common") : null;
  const tuning = tune && { key: tune.key, values: tune.values, seeds: tune.seeds, common: tune.common };
  const { notes = [], ...rest } = more;
  const json = {
    experiment: name,
    version: VERSION,
    seeds,
    baseline,
    tuning,
    resample,
    ...confirm && { confirm },
    notes,
    ...rest,
    lines,
    common,
    results,
    ...budgets.length > 0 && { budgets, front: frontOf(parts) },
  };
  const all = budgets.length === 0
    ? lines
    : budgets.flatMap(({ budget, lines }) => lines.map((line) => ({ ...line, budget })));
  const markdown = [`# ${name}`, ...tables.map(markdownOf), ...notes].join("\n\n").replaceAll(/\n{3,}/g, "\n\n");
  await removeTables(folder);
  await writeFileAtomically(join(folder, RESULTS), await sealJson(json));
  await writeFileAtomically(join(folder, "results.md"), markdown.trimEnd() + "\n");
  await writeFileAtomically(join(folder, "results.csv"), csvOf(all));
}

/**
 * Before the first run that is done anew: results that are there are of runs that will not be. All that they say is
 * kept, as `previous-results.json`.
 */
export async function putResultsAside(folder: string): Promise<void> {
  await removeTables(folder);
  const file = join(folder, RESULTS);
  if (await kindOfPath(file) !== null) await movePath(file, join(folder, `previous-${RESULTS}`));
}

/** The files that `results.json` has everything of, which must not tell of other runs than it does. */
async function removeTables(folder: string): Promise<void> {
  for (const name of [REPORT, "results.csv", "results.md"]) await removePath(join(folder, name));
}

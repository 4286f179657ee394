import { join } from "node:path";
import { REPORT } from "../../core/distill/run_folder.ts";
import { kindOfPath, movePath, removePath, writeFileAtomically } from "../../core/files.ts";
import { VERSION } from "../../core/version.ts";
import type { Experiment } from "./experiment.ts";
import { type RowStatistics, rowStatistics } from "./row_statistics.ts";
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

/** The main table as CSV (RFC 4180), numbers unrounded, nothing where there is no number. */
export function csvOf(lines: readonly RowStatistics[]): string {
  const cell = (value: unknown) => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const others = [...new Set(lines.flatMap(({ others }) => Object.keys(others)))];
  const rows = lines.map((line) => [
    ...columns.map(([, of]) => cell(of(line))),
    ...others.map((name) => cell(line.others[name]?.mean)),
  ]);
  return [[...columns.map(([name]) => name), ...others.map((name) => `test_${name}`)], ...rows].map((row) =>
    row.join(",") + "\r\n"
  ).join("");
}

/** Every run. */
export const RESULTS = "results.json";

/**
 * Writes `results.json` (every run), `results.md` (the tables) and `results.csv` (the main one) to the experiment's
 * folder.
 *
 * @param more what else the JSON file says: a sweep's choice
 */
export async function writeResults(
  folder: string,
  experiment: Experiment,
  results: readonly RowResult[],
  tables: readonly Table[],
  more: { readonly notes?: readonly string[]; readonly [key: string]: unknown } = {},
): Promise<void> {
  const { name, seeds, baseline, tune, resample } = experiment;
  const lines = rowStatistics(experiment, results);
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
    notes,
    ...rest,
    lines,
    common,
    results,
  };
  const markdown = [`# ${name}`, ...tables.map(markdownOf), ...notes].join("\n\n").replaceAll(/\n{3,}/g, "\n\n");
  await removeTables(folder);
  await writeFileAtomically(join(folder, RESULTS), JSON.stringify(json, null, 2) + "\n");
  await writeFileAtomically(join(folder, "results.md"), markdown.trimEnd() + "\n");
  await writeFileAtomically(join(folder, "results.csv"), csvOf(lines));
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

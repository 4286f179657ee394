import { labelNote, titleOf } from "../../core/evaluate/metrics/show.ts";
import { showBytes } from "../../core/show_bytes.ts";
import { alignColumns, type Alignment } from "../support/table.ts";
import { counted, grouped } from "../support/format.ts";
import { commonMetric, rowsOfOthers } from "./common_metric.ts";
import { devicesNote } from "./devices.ts";
import type { Experiment, Scalar } from "./experiment.ts";
import type { Outcome } from "./outcome.ts";
import { type RowStatistics, rowStatistics } from "./row_statistics.ts";
import type { RowResult } from "./run_grid.ts";
import type { Difference, Moments } from "./statistics.ts";

/** A table for people. */
export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  /** One for each column, the last goes on: words stand at the left. Left out: a name, and numbers after it. */
  readonly alignment?: readonly Alignment[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below it. */
  readonly notes: readonly string[];
}

/** `83.40 ± 0.21` of a part of 1, in percent. */
export function showPart(moments: Moments | null): string {
  return showMoments(
    moments && {
      ...moments,
      mean: 100 * moments.mean,
      deviation: moments.deviation === null ? null : 100 * moments.deviation,
    },
    2,
  );
}

/** The same under the heading of a metric, which is said where the number is of another one. */
export function showOf(moments: Moments | null, own: string, metric: string): string {
  return showPart(moments) + (moments && own !== metric ? ` ${own}` : "");
}

/** `12.3 ± 0.4`, or the mean alone where there is no deviation. */
export function showMoments(moments: Moments | null, digits: number): string {
  if (!moments) return "-";
  const { mean, deviation } = moments;
  return deviation === null ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}

/** `+0.42 [-0.31, +1.15] ~`, in percent points; `~` marks what is within noise. */
export function showDifference(difference: Difference | null): string {
  if (!difference) return "";
  const signed = (value: number) => `${value < 0 ? "-" : "+"}${Math.abs(100 * value).toFixed(2)}`;
  const { value, interval, withinNoise } = difference;
  const bounds = interval ? ` [${interval.map(signed).join(", ")}]` : "";
  return `${signed(value)}${bounds}${withinNoise ? " ~" : ""}`;
}

const whole = (value: number | null) => value === null ? "-" : grouped(value);
const fixed = (value: number | null, digits: number) => value === null ? "-" : value.toFixed(digits);
const amount = (bytes: number | null) => bytes === null ? "-" : showBytes(bytes);

/**
 * All tables of an experiment: the main one, and where there are any that of one common value, further metrics, tuning
 * and diagnostics.
 */
export function tablesOf(experiment: Experiment, results: readonly RowResult[]): Table[] {
  const { tune } = experiment;
  const own = rowStatistics(experiment, results);
  const title = tune ? `${experiment.name}: ${tune.key} tuned per row` : experiment.name;
  const tables = [mainTable(experiment, own, title, results.flatMap(({ runs }) => runs))];
  if (tune && tune.common !== null) {
    const common = rowStatistics(experiment, results, "common");
    // The common value is not run with fresh seeds.
    const { confirm: _none, ...unconfirmed } = experiment;
    const runs = results.flatMap(({ common }) => common ?? []);
    tables.push(mainTable(unconfirmed, common, `${experiment.name}: ${tune.key} = ${tune.common} for all`, runs));
  }
  if (own.some(({ others }) => Object.keys(others).length > 0)) tables.push(othersTable(own));
  if (own.some(({ inference }) => inference?.special)) tables.push(inferenceTable(own, experiment.baseline));
  if (tune) tables.push(tuningTable(experiment, results));
  if (own.some(({ diagnostics }) => diagnostics)) tables.push(diagnosticsTable(own));
  return tables;
}

function mainTable(
  { baseline, seeds, tune, resample, confirm = [] }: Experiment,
  lines: readonly RowStatistics[],
  title: string,
  runs: readonly Outcome[],
): Table {
  const metric = commonMetric(lines, baseline);
  const trained = lines.some(({ train }) => train);
  const short = tune?.key.split(".").at(-1);
  const fresh = lines.some(({ confirmed }) => confirmed);
  const header = [
    "row",
    ...(short ? [short] : []),
    `test ${metric} %`,
    "validation %",
    ...(trained ? ["train %"] : []),
    `to ${baseline}`,
    ...(fresh ? ["fresh seeds"] : []),
    "trained",
    "inference",
    "increase",
    "seconds",
    "an epoch",
    "peak",
  ];
  const rows = lines.map(({ metric: own, ...line }) => {
    const scored = (moments: Moments | null) => showOf(moments, own, metric);
    return [
      line.name,
      ...(short ? [line.value === null ? "-" : String(line.value)] : []),
      scored(line.test),
      scored(line.validation),
      ...(trained ? [scored(line.train)] : []),
      showDifference(line.difference),
      ...(fresh ? [showDifference(line.confirmed?.difference ?? null)] : []),
      whole(line.parametersTraining),
      whole(line.parametersInference),
      fixed(line.parameterIncreaseRate, 2),
      showMoments(line.seconds, 1),
      showMoments(line.secondsPerEpoch, 2),
      amount(line.peakBytes),
    ];
  });
  const several = seeds.length > 1;
  const drawn = resample === null
    ? ""
    : `, each of which draws ${+(100 * resample).toFixed(2)} % of the training examples`;
  const notes = [
    several
      ? `Mean ± standard deviation over seeds ${
        seeds.join(", ")
      }${drawn}; seconds are those of training, teacher and validation in them.`
      : `Seed ${seeds[0]}${drawn}; seconds are those of training, teacher and validation in them.`,
    several
      ? `Differences are to "${baseline}" in points, with their 95 % interval by Welch's t; ~ marks those within noise ` +
        `(the interval holds 0). With one interval for each row, one in twenty misses by chance.`
      : "One seed tells nothing of noise: give more with --seeds.",
    ...(several && lines.some(({ difference }) => difference?.interval === null)
      ? [
        "A difference without an interval is of one run, or of runs that are all alike: of its noise nothing is known.",
      ]
      : []),
    ...(fresh
      ? [
        `Rows beyond noise were run again, as they were tuned, with seeds ${
          confirm.join(", ")
        }, which no choice has seen, ` +
        `and so was "${baseline}": the difference there is that of fresh seeds.`,
      ]
      : confirm.length > 0
      ? ["No row is known to be beyond noise: none was run with fresh seeds."]
      : []),
    ...lines.flatMap(({ name, wrongLabels }) => wrongLabels ? [wrongLabelsNote(name, wrongLabels)] : []),
    ...lines.filter(({ epochs }) => epochs !== null).map(({ name, epochs }) =>
      `"${name}" had time for ${counted(epochs!, "epoch")}.`
    ),
    ...rowsOfOthers(lines, baseline).map(({ name, metric: own }) =>
      `"${name}" is measured by its ${own}, and not held against the others.`
    ),
    ...lines.flatMap(({ name, labels }) =>
      labelNote(labels ?? {}).map((note) => `The test examples of "${name}" have ${note}.`)
    ),
    ...lines.filter(({ failed, givenUp }) => failed > givenUp).map(({ name, failed, givenUp }) =>
      `Of "${name}" ${failed - givenUp} failed to train.`
    ),
    ...lines.filter(({ givenUp }) => givenUp > 0).map(({ name, givenUp }) =>
      `Of "${name}" ${givenUp === 1 ? "1 was" : `${givenUp} were`} given up.`
    ),
    ...devicesNote(runs),
  ];
  return { title, header, rows, notes };
}

/** Says of a row, or of a stage, that it was trained on labels that were made wrong. */
export function wrongLabelsNote(name: string, { wrong, labelled }: NonNullable<RowStatistics["wrongLabels"]>): string {
  return `Of the ${grouped(labelled)} training labels of "${name}" ${grouped(wrong)} are wrong on purpose.`;
}

function othersTable(lines: readonly RowStatistics[]): Table {
  const names = [...new Set(lines.flatMap(({ others }) => Object.keys(others)))];
  const classes = new Set(lines.map(({ positiveClass }) => positiveClass));
  // Rows may go by different classes; then each is in its own metrics.json.
  const positive = classes.size === 1 ? [...classes][0] : null;
  return {
    title: "Further metrics on the test examples",
    header: ["row", ...names.map((name) => `${titleOf(name, positive) ?? name} %`)],
    rows: lines.map(({ name, others }) => [name, ...names.map((metric) => showPart(others[metric] ?? null))]),
    notes: [],
  };
}

function inferenceTable(lines: readonly RowStatistics[], baseline: string): Table {
  const metric = commonMetric(lines, baseline);
  const exported = lines.some(({ inference }) => inference?.onnx);
  const rows = lines.map(({ name, test, parametersInference, inference, seconds }) => [
    name,
    showPart(test),
    whole(parametersInference),
    whole(inference ? Math.round(inference.nonZeros) : parametersInference),
    amount(inference?.bytes ?? null),
    ...(exported
      ? [
        amount(inference?.onnx?.bytes ?? null),
        fixed(inference?.onnx?.milliseconds ?? null, 4),
        fixed(inference?.onnx?.own ?? null, 4),
      ]
      : []),
    showMoments(seconds, 1),
  ]);
  const times = [
    "Milliseconds are those for an example of the fastest batch, in onnxruntime on one thread, and here; of zeros neither " +
    "takes advantage.",
  ];
  return {
    title: "What the students take at inference",
    header: [
      "row",
      `test ${metric} %`,
      "parameters",
      "not zero",
      "bytes",
      ...(exported ? ["ONNX bytes", "ONNX ms", "ms here"] : []),
      "training seconds",
    ],
    rows,
    notes: exported ? times : [],
  };
}

function tuningTable({ tune }: Experiment, results: readonly RowResult[]): Table {
  const { key, values, seeds } = tune!;
  const rows = results.map(({ name, tuned }) => [
    name,
    ...tuned!.trials.map(({ value, validation, failed }) => {
      const mean = validation.reduce((sum, part) => sum + part, 0) / validation.length;
      const shown = validation.length === 0
        ? "failed"
        : (100 * mean).toFixed(2) + (failed > 0 ? ` (${failed} failed)` : "");
      return value === tuned!.chosen ? `*${shown}` : shown;
    }),
  ]);
  return {
    title: `Validation % by ${key}`,
    header: ["row", ...values.map(String)],
    rows,
    notes: [
      `* is chosen: the best mean on the validation examples over seeds ${seeds.join(", ")}.`,
      ...edgeNote(values, results),
    ],
  };
}

/** Of what is chosen at the edge of numbers nobody knows how good it is beyond. */
function edgeNote(values: readonly Scalar[], results: readonly RowResult[]): string[] {
  if (values.length < 2 || !values.every((value) => typeof value === "number")) return [];
  const edges = [["lowest", Math.min(...values)], ["highest", Math.max(...values)]] as const;
  const found = edges.flatMap(([which, edge]) =>
    results.flatMap(({ name, tuned }) => tuned?.chosen === edge ? [`the ${which} for "${name}"`] : [])
  );
  if (found.length === 0) return [];
  return [
    `Chosen at the edge of what was tried: ${
      found.join(", ")
    }. What lies beyond may be better there, and part of the ` +
    "difference to other rows.",
  ];
}

function diagnosticsTable(lines: readonly RowStatistics[]): Table {
  const rows = lines.flatMap(({ name, diagnostics }) =>
    diagnostics
      ? [[
        name,
        fixed(diagnostics.relativeStep, 3),
        fixed(diagnostics.effectiveRank, 2),
        fixed(diagnostics.largestSingularValue, 3),
        diagnostics.agreement === null ? "-" : (100 * diagnostics.agreement).toFixed(2),
      ]]
      : []
  );
  return {
    title: "What training did to the weights",
    header: ["row", "relative step", "effective rank", "largest singular value", "agreement %"],
    rows,
    notes: [
      "Relative step: ||W - W0|| / ||W0|| over an epoch, mean over epochs, matrices and seeds. Effective rank (exp of the " +
      "singular values' entropy), largest singular value and agreement with the teacher on the validation examples: after " +
      "the last epoch.",
    ],
  };
}

const NAME_AND_NUMBERS: readonly Alignment[] = ["left", "right"];

/** Lines for a terminal. */
export function textOf({ title, header, rows, alignment, notes }: Table, strong = (text: string) => text): string[] {
  const [top, ...rest] = alignColumns([header, ...rows], alignment ?? NAME_AND_NUMBERS);
  return [strong(title), top, ...rest, ...notes];
}

/** The same as Markdown. */
export function markdownOf({ title, header, rows, alignment, notes }: Table): string {
  const table = markdownTable(header, rows, alignment);
  return [`## ${title}`, "", table, "", ...notes.flatMap((note) => [note.replace(/^\*/, "\\*"), ""])].join("\n");
}

/** A table as Markdown. @param alignment as in a {@link Table} */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignment: readonly Alignment[] = NAME_AND_NUMBERS,
): string {
  const cells = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = header.map((_, index) => (alignment[index] ?? alignment.at(-1)) === "left" ? "---|" : "---:|").join("");
  return [cells(header), `|${rule}`, ...rows.map(cells)].join("\n");
}

import * as Plot from "@observablehq/plot";
import { commonMetric, rowsOfOthers } from "../experiment/common_metric.ts";
import { devicesNote } from "../experiment/devices.ts";
import { finished, scoreOf } from "../experiment/outcome.ts";
import type { RowStatistics } from "../experiment/row_statistics.ts";
import { isShare, meanInterval } from "../experiment/mean_interval.ts";
import { momentsOf } from "../experiment/statistics.ts";
import { showDifference, showMoments, showOf } from "../experiment/tables.ts";
import { counted, grouped } from "../support/format.ts";
import { budgetChart } from "./budget_chart.ts";
import { type Child, element, grid, pageOf, section, table } from "./elements.ts";
import { intervalChart, layoutOf, shortened } from "./interval_chart.ts";
import { draw, figure, lineChart, seriesColour } from "./plots.ts";
import type { ExperimentResults } from "./read_experiment.ts";

const MEAN = seriesColour(0), BASELINE = seriesColour(1), TEACHER = "var(--series-3)";

/** A row with its runs on the test examples. */
interface Row {
  readonly name: string;
  readonly line: RowStatistics;
  readonly isBaseline: boolean;
  /** By seed. */
  readonly scores: readonly { readonly seed: number; readonly score: number }[];
  readonly mean: number;
  /** The 95 % interval of the mean by Student's t; `null` of fewer than two runs. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** The page of a comparison or a sweep: which row is better, by how much, and whether that is more than noise. */
export function experimentPage(results: ExperimentResults): string {
  const { experiment, version, seeds, baseline, lines } = results;
  const metric = commonMetric(lines, baseline);
  const others = rowsOfOthers(lines, baseline).map(({ name }) => name);
  const charted = {
    ...results,
    lines: lines.filter(({ name }) => !others.includes(name)),
    results: results.results.filter(({ name }) => !others.includes(name)),
  };
  const rows = rowsOf(charted);
  const { budgets = [], front = [] } = results;
  const notes = [
    ...results.notes,
    ...others.length === 0 ? [] : [`Measured by another metric than ${metric}, and in no chart: ${others.join(", ")}.`],
    ...devicesNote([results, ...budgets].flatMap(({ results }) => results.flatMap(({ runs }) => runs))),
  ];
  const failed = (budgets.length > 0 ? budgets : [{ budget: null, lines }]).flatMap(({ budget, lines }) =>
    lines.filter(({ failed }) => failed > 0).map(({ name, failed }) => {
      return { name: budget === null ? name : `${name} at ${budget}`, failed };
    })
  );
  // What follows the picture of all budgets is of the longest.
  const at = budgets.length > 0 ? ` at ${budgets.at(-1)!.budget}` : "";
  return pageOf(
    `${experiment}: report of a comparison`,
    element("h1", {}, experiment),
    element(
      "p",
      { class: "faint" },
      `${counted(lines.length, "row")}, ${counted(seeds.length, "seed")} each (${seeds.join(", ")}) · ` +
        `held against ${baseline} · OPDF ${version}`,
    ),
    notes.length + failed.length === 0 ? null : element("div", { class: "warnings" }, [
      ...notes.map((note) => element("p", {}, note)),
      ...failed.map(({ name, failed }) => element("p", {}, `${counted(failed, "run")} of ${name} failed.`)),
    ]),
    rows.length === 0 ? element("p", {}, "No run came to its end.") : null,
    section("Over the time of training", budgetChart(front, baseline, teacherOf(charted, metric))),
    section("On fresh seeds", freshSeeds(results)),
    section(`Test ${metric}${at}`, ...dotPlot(charted, rows, metric)),
    section(`Difference to ${baseline}${at}`, differences(rows)),
    section(`Over the values that were tried${at}`, overValues(charted)),
    section(`Over the parameters in training${at}`, overParameters(rows, metric)),
    section(`All numbers${at}`, numbers(results, metric)),
  );
}

function rowsOf({ lines, results, baseline }: ExperimentResults): Row[] {
  return lines.flatMap((line) => {
    const { name, metric, test } = line;
    const scores = finished(results.find((row) => row.name === name)?.runs ?? []).map(({ seed, summary }) => {
      return { seed, score: scoreOf(summary.student.metrics, metric) };
    }).filter(({ score }) => Number.isFinite(score));
    if (!test || scores.length === 0) return [];
    return [{
      name,
      line,
      isBaseline: name === baseline,
      scores,
      mean: test.mean,
      interval: meanInterval(test, metric),
    }];
  });
}

/** What the teacher reaches, where all rows have one that reaches the same; else `null`. */
function teacherOf({ results }: ExperimentResults, metric: string): number | null {
  const teachers = new Set(
    results.flatMap(({ runs }) => finished(runs).map(({ summary }) => summary.teacher?.metrics[metric] ?? NaN)),
  );
  const [teacher] = teachers;
  return teachers.size === 1 && Number.isFinite(teacher) ? teacher : null;
}

function dotPlot(all: ExperimentResults, rows: readonly Row[], metric: string): Child[] {
  if (rows.length === 0) return [];
  const { baseline } = all;
  const base = rows.find(({ isBaseline }) => isBaseline);
  const band = base?.interval ?? null;
  const teacher = teacherOf(all, metric);
  const taught = teacher === null ? [] : [teacher];
  const dots = rows.flatMap(({ name, scores }) =>
    scores.map(({ seed, score }) => ({ name, score, title: `${name}, seed ${seed}: ${(100 * score).toFixed(2)}` }))
  );
  const words = rows.map(({ name, mean }) => `${name} ${(100 * mean).toFixed(2)}`).join(", ");
  const ranges = rows.flatMap(({ name, interval }) => interval ? [{ name, low: interval[0], high: interval[1] }] : []);
  return [
    element(
      "p",
      { class: "faint" },
      "Small dots are runs, large ones means; lines are their 95 % intervals by Student's t. " +
        (band ? `The band is the interval of ${baseline}.` : "") +
        (taught.length > 0 ? " The dashed line is the teacher." : ""),
    ),
    figure(
      "",
      null,
      draw(`Test ${metric} of each row: ${words}`, {
        ...layoutOf(rows.map(({ name }) => name)),
        x: {
          label: `test ${metric}`,
          labelAnchor: "center",
          labelArrow: "none",
          nice: true,
          grid: true,
          ...(isShare(metric) && { percent: true, label: `test ${metric} %` }),
        },
        marks: [
          ...(band
            ? [
              Plot.rectX([{ low: band[0], high: band[1] }], {
                x1: "low",
                x2: "high",
                fill: BASELINE,
                fillOpacity: 0.13,
              }),
            ]
            : []),
          ...taught.map((score) => Plot.ruleX([score], { stroke: TEACHER, strokeDasharray: "6 4" })),
          Plot.ruleY(ranges, { x1: "low", x2: "high", y: "name", stroke: "currentColor", strokeWidth: 1.5 }),
          Plot.dot(dots, { x: "score", y: "name", r: 3, fill: "currentColor", fillOpacity: 0.35, title: "title" }),
          Plot.dot(rows, {
            x: "mean",
            y: "name",
            r: 5.5,
            fill: ({ isBaseline }: Row) => isBaseline ? BASELINE : MEAN,
            title: ({ name, mean, interval }: Row) => {
              const bounds = interval?.map((bound) => (100 * bound).toFixed(2)).join(", ");
              return `${name}: ${(100 * mean).toFixed(2)}${bounds ? ` [${bounds}]` : ""}`;
            },
          }),
        ],
      }),
    ),
  ];
}

function differences(rows: readonly Row[]): Child {
  const others = rows.flatMap(({ name, line: { difference } }) => difference ? [{ name, ...difference }] : []);
  if (others.length === 0) return null;
  return [
    element(
      "p",
      { class: "faint" },
      "In points, with 95 % intervals by Welch's t. A hollow dot's interval holds 0: that difference may be noise.",
    ),
    intervalChart(others, "points"),
  ];
}

/** What was beyond noise at a budget, and what seeds say of it that no choice has seen. */
function freshSeeds({ budgets = [], baseline }: ExperimentResults): Child {
  const rows = budgets.flatMap(({ budget, lines }) =>
    lines.flatMap(({ name, difference, confirmed }) =>
      name !== baseline && confirmed
        ? [[name, budget, showDifference(difference), showDifference(confirmed.difference)]]
        : []
    )
  );
  return table(["row", "budget", `to ${baseline}`, "on fresh seeds"], rows, ["left", "left", "right"]);
}

/** Validation over what was tuned, a line for each row. */
function overValues({ tuning, results }: ExperimentResults): Child {
  if (!tuning) return null;
  const numeric = tuning.values.every((value) => typeof value === "number");
  const lines = results.flatMap(({ name, tuned }, index) => {
    const points = (tuned?.trials ?? []).map(({ value, validation }, place) => {
      const usable = validation.filter((score) => score !== null && Number.isFinite(score));
      return [numeric ? Number(value) : place, momentsOf(usable)?.mean ?? NaN] as const;
    });
    return tuned ? [{ name, points, colour: seriesColour(index), dashed: index >= 6 }] : [];
  });
  return grid(
    "charts",
    lineChart({
      title: `Validation over ${tuning.key}`,
      note: numeric
        ? "means over seeds; a line that still rises at its end wants further values"
        : `values in order: ${tuning.values.join(", ")}`,
      xLabel: tuning.key.split(".").at(-1)!,
      xValues: numeric && tuning.values.every((value) => Number(value) > 0) ? tuning.values.map(Number) : undefined,
      format: ".1~%",
      lines,
    }),
  );
}

/** As the paper's figure 2 has it. */
function overParameters(rows: readonly Row[], metric: string): Child {
  const points = rows.flatMap(({ name, mean, interval, isBaseline, line: { parameterIncreaseRate } }) => {
    if (parameterIncreaseRate === null) return [];
    return [{
      name,
      mean,
      low: interval?.[0] ?? mean,
      high: interval?.[1] ?? mean,
      isBaseline,
      rate: parameterIncreaseRate,
    }];
  });
  if (new Set(points.map(({ rate }) => rate.toFixed(4))).size < 2) return null;
  const words = points.map(({ name, rate, mean }) => `${name} × ${rate.toFixed(2)} ${(100 * mean).toFixed(2)}`);
  const share = isShare(metric);
  return figure(
    `Test ${metric} over parameters in training`,
    "as multiples of those at inference; means with 95 % intervals",
    draw(`Test ${metric} over parameters in training: ${words.join(", ")}`, {
      width: 640,
      height: 300,
      marginLeft: 56,
      marginRight: 90,
      marginTop: 24,
      marginBottom: 40,
      insetLeft: 16,
      style: { fontSize: "12px" },
      x: { label: "parameter increase rate", labelAnchor: "center", labelArrow: "none", nice: true, grid: true },
      y: {
        label: share ? `test ${metric} %` : `test ${metric}`,
        labelArrow: "none",
        nice: true,
        grid: true,
        percent: share,
      },
      marks: [
        Plot.ruleX(points, { x: "rate", y1: "low", y2: "high", stroke: "currentColor", strokeWidth: 1.5 }),
        Plot.dot(points, {
          x: "rate",
          y: "mean",
          r: 5.5,
          fill: ({ isBaseline }: { isBaseline: boolean }) => isBaseline ? BASELINE : MEAN,
        }),
        Plot.text(points, {
          x: "rate",
          y: "mean",
          text: ({ name }: { name: string }) => shortened(name),
          textAnchor: "start",
          dx: 9,
          fill: "currentColor",
        }),
      ],
    }),
  );
}

function numbers({ lines, tuning, baseline }: ExperimentResults, metric: string): Child {
  const whole = (value: number | null) => value === null ? "-" : grouped(value);
  const value = tuning?.key.split(".").at(-1);
  const fresh = lines.some(({ confirmed }) => confirmed);
  return table(
    [
      "row",
      ...(value ? [value] : []),
      `test ${metric} %`,
      "validation %",
      `to ${baseline}`,
      ...(fresh ? ["fresh seeds"] : []),
      "trained",
      "at inference",
      "increase",
      "seconds",
    ],
    lines.map((line) => [
      line.name,
      ...(value ? [String(line.value ?? "-")] : []),
      showOf(line.test, line.metric, metric),
      showOf(line.validation, line.metric, metric),
      showDifference(line.difference),
      ...(fresh ? [showDifference(line.confirmed?.difference ?? null)] : []),
      whole(line.parametersTraining),
      whole(line.parametersInference),
      line.parameterIncreaseRate === null ? "-" : `× ${line.parameterIncreaseRate.toFixed(2)}`,
      showMoments(line.seconds, 1),
    ]),
  );
}

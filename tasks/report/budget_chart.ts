import * as Plot from "@observablehq/plot";
import type { FrontPoint } from "../experiment/front.ts";
import { frontInWords } from "../experiment/front_table.ts";
import { isShare, meanInterval } from "../experiment/mean_interval.ts";
import { showPart } from "../experiment/tables.ts";
import { type Child, element, table } from "./elements.ts";
import { draw, figure, legend, seriesColour } from "./plots.ts";

/** Colours before lines of further rows are dashed. */
const COLOURS = 6;

/** The metric over the time of training, a line for each row with a point for each budget, and the front of all. */
export function budgetChart(points: readonly FrontPoint[], teacher: number | null): Child[] {
  if (points.length === 0) return [];
  const [{ metric }] = points;
  const rows = [...new Set(points.map(({ row }) => row))];
  const share = isShare(metric);
  const drawn = points.map((point) => {
    const { row, budget, seconds, test, standing } = point;
    const interval = meanInterval(test, metric);
    const bounds = interval?.map((bound) => (100 * bound).toFixed(2)).join(", ");
    const time = `${seconds.mean.toFixed(1)} s`;
    return {
      row,
      budget,
      seconds: seconds.mean,
      mean: test.mean,
      low: interval?.[0] ?? test.mean,
      high: interval?.[1] ?? test.mean,
      colour: seriesColour(rows.indexOf(row)),
      onFront: standing === "front",
      title: `${row} at ${budget}: ${(100 * test.mean).toFixed(2)}${
        bounds ? ` [${bounds}]` : ""
      } in ${time}, ${standing}`,
    };
  }).toSorted((a, b) => a.seconds - b.seconds);
  const front = drawn.filter(({ onFront }) => onFront);
  const last = { ...front.at(-1)!, seconds: drawn.at(-1)!.seconds };
  const entries = rows.map((name, index) => ({ name, colour: seriesColour(index), dashed: index >= COLOURS }));
  const levels = teacher === null ? [] : [{ name: "teacher", colour: "var(--series-3)", dashed: true }];
  return [
    element(
      "p",
      { class: "faint" },
      "A point is a training of its own, with schedules of its length: the mean over seeds with its 95 % interval by " +
        "Student's t. Filled points are on the front (the grey steps): no other is as good in less time.",
    ),
    figure(
      "",
      null,
      legend([...entries, ...levels]),
      draw(`Test ${metric} over seconds of training. ${frontInWords(points)}`, {
        width: 640,
        height: 360,
        marginLeft: 48,
        marginRight: 24,
        marginTop: 28,
        marginBottom: 42,
        insetLeft: 12,
        insetRight: 12,
        style: { fontSize: "12px" },
        x: {
          type: "log",
          label: "seconds of training",
          labelAnchor: "center",
          labelArrow: "none",
          ticks: roundTimes(drawn[0].seconds, last.seconds),
          tickFormat: String,
          grid: true,
        },
        y: {
          label: share ? `test ${metric} %` : `test ${metric}`,
          labelArrow: "none",
          nice: true,
          grid: true,
          percent: share,
        },
        marks: [
          ...(teacher === null
            ? []
            : [Plot.ruleY([teacher], { stroke: "var(--series-3)", strokeDasharray: "6 4", strokeWidth: 1.5 })]),
          Plot.line([...front, last], {
            x: "seconds",
            y: "mean",
            curve: "step-after",
            stroke: "var(--rule)",
            strokeWidth: 5,
            strokeLinejoin: "round",
          }),
          ...entries.map(({ name, colour, dashed }) =>
            Plot.line(drawn.filter(({ row }) => row === name), {
              x: "seconds",
              y: "mean",
              stroke: colour,
              strokeWidth: 2,
              ...(dashed && { strokeDasharray: "4 3" }),
            })
          ),
          Plot.ruleX(drawn, { x: "seconds", y1: "low", y2: "high", stroke: "colour", strokeWidth: 1.5 }),
          Plot.dot(drawn, {
            x: "seconds",
            y: "mean",
            r: 5,
            stroke: "colour",
            strokeWidth: 2,
            fill: ({ onFront, colour }: { onFront: boolean; colour: string }) => onFront ? colour : "var(--paper)",
            title: "title",
          }),
        ],
      }),
    ),
    pointsTable(points),
  ];
}

const WORDS = { front: "on the front", near: "within noise of it", behind: "behind" } as const;

function pointsTable(points: readonly FrontPoint[]): Child {
  const tuned = points.some(({ value }) => value !== null);
  return table(
    ["row", "budget", "epochs", ...(tuned ? ["tuned to"] : []), `test ${points[0].metric} %`, "seconds", "stands"],
    points.map(({ row, budget, epochs, value, test, seconds, standing }) => [
      row,
      budget,
      String(epochs),
      ...(tuned ? [String(value ?? "-")] : []),
      showPart(test),
      seconds.mean.toFixed(1),
      WORDS[standing],
    ]),
  );
}

/** Round numbers of seconds within some bounds, for a logarithmic axis: 1, 2 and 5 times powers of ten. */
export function roundTimes(least: number, most: number): number[] {
  const powers = Array.from({ length: 16 }, (_, index) => 10 ** (index - 6));
  const all = powers.flatMap((power) => [1, 2, 5].map((factor) => +(factor * power).toPrecision(1)));
  const within = all.filter((time) => time >= least && time <= most);
  // Times that are close to each other have no round one between them.
  return within.length >= 2 ? within : [...new Set([least, most])].map((time) => +time.toPrecision(3));
}

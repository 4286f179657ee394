import * as Plot from "@observablehq/plot";
import type { MatrixRecord } from "../../core/distill/record/matrices.ts";
import { counted, grouped, percent } from "../support/format.ts";
import { type Child, element, grid, section, table } from "./elements.ts";
import { stepsPerEpoch } from "./log.ts";
import { draw, figure, legend, lineChart, seriesColour } from "./plots.ts";
import type { RunFiles } from "./read_run.ts";

const START = "var(--series-3)", END = seriesColour(0);

/** Panels of spectra that are drawn. */
const MOST_PANELS = 24;

/** What training did to the over-parameterised matrices. */
export function matrices({ record, log }: RunFiles): Child {
  const looked = record?.matrices ?? [];
  const some = record && looked.length < record.overParameterised
    ? `${looked.length} of the ${record.overParameterised} were looked at, from the first to the last, as each takes a while.`
    : null;
  return section(
    "The over-parameterised matrices",
    looked.length === 0 ? null : [
      element(
        "p",
        { class: "faint" },
        "Each was trained as more numbers than it has, as a chain of cores or otherwise, and merged; the numbers are of the merged matrix, before training and " +
          "after. The effective rank is the exponential of the entropy of the singular values: how many directions " +
          "the matrix uses. The relative step is how far training moved it, as a part of its norm.",
      ),
      some && element("p", {}, some),
      rows(looked),
    ],
    normsOverTime(log),
    looked.length === 0 ? null : [
      element("h3", {}, "Singular values"),
      legend([{ name: "start", colour: START, dashed: true }, { name: "end", colour: END }]),
      grid("panels", looked.slice(0, MOST_PANELS).map(spectrum)),
      looked.length > MOST_PANELS
        ? element(
          "p",
          { class: "faint" },
          `The first ${MOST_PANELS} of ${counted(looked.length, "matrix").replace(/x?s?$/, "ces")} are drawn.`,
        )
        : null,
    ],
    diagnosed(log),
  );
}

const fixed = (value: number, digits: number) => Number.isFinite(value) ? value.toFixed(digits) : "-";

function rows(looked: readonly MatrixRecord[]): Child {
  return table(
    ["matrix", "size", "trained as", "parameters in training", "norm", "effective rank", "relative step"],
    looked.map(({ name, shape, cores, heldAs, increaseRate, norms, effectiveRanks, relativeStep }) => [
      name,
      shape.map(grouped).join(" × "),
      heldAs ?? `${cores} cores`,
      `× ${increaseRate.toFixed(2)}`,
      norms.map((value) => fixed(value, 2)).join(" → "),
      effectiveRanks.map((value) => fixed(value, 1)).join(" → "),
      Number.isFinite(relativeStep) ? percent(relativeStep) : "-",
    ]),
  );
}

function normsOverTime(log: RunFiles["log"]): Child {
  const lines = log.filter(({ norms }) => norms && Object.keys(norms).length > 0);
  const steps = stepsPerEpoch(log);
  const names = Object.keys(lines[0]?.norms ?? {});
  const chosen = names.length <= 6 ? names : evenly(names, 6);
  return names.length === 0 || lines.length < 2 ? null : grid(
    "charts",
    lineChart({
      title: "Frobenius norm over training",
      note: chosen.length < names.length ? `${chosen.length} of ${names.length} matrices` : undefined,
      xLabel: "epoch",
      lines: chosen.map((name, index) => ({
        name,
        colour: seriesColour(index),
        points: lines.map(({ step, norms }) => [step / steps, norms![name] ?? NaN]),
      })),
    }),
  );
}

/** So many of a list, the first and the last among them. */
function evenly<Item>(items: readonly Item[], count: number): Item[] {
  return Array.from({ length: count }, (_, index) => items[Math.round(index * (items.length - 1) / (count - 1))]);
}

function spectrum({ name, singularValues: [start, end] }: MatrixRecord): HTMLElement {
  const points = (values: readonly number[]) => values.map((value, index) => [index + 1, value]);
  const words = `Singular values of ${name}: the largest ${fixed(start[0], 2)} at the start and ${
    fixed(end[0], 2)
  } at the end`;
  return figure(
    name.replace(/\.weight$/, ""),
    null,
    draw(words, {
      width: 250,
      height: 150,
      marginLeft: 36,
      marginBottom: 24,
      marginTop: 8,
      marginRight: 8,
      style: { fontSize: "11px" },
      x: { label: null, ticks: 4, tickFormat: (value: number) => Number.isInteger(value) ? `${value}` : "" },
      y: { label: null, grid: true, ticks: 3, zero: true, nice: true },
      marks: [
        Plot.line(points(start), { stroke: START, strokeWidth: 1.5, strokeDasharray: "4 3" }),
        Plot.line(points(end), { stroke: END, strokeWidth: 2 }),
        ...(end.length <= 32 ? [Plot.dot(points(end), { fill: END, r: 2 })] : []),
      ],
    }),
  );
}

/** What `train.diagnostics` wrote after each epoch. */
function diagnosed(log: RunFiles["log"]): Child {
  const epochs = log.flatMap(({ epoch, diagnostics }) => diagnostics ? [{ epoch, ...diagnostics }] : []);
  if (epochs.length === 0) return null;
  const names = Object.keys(epochs[0].matrices);
  const chosen = names.length <= 6 ? names : evenly(names, 6);
  const lines = (of: "relativeStep" | "effectiveRank") =>
    chosen.map((name, index) => ({
      name,
      colour: seriesColour(index),
      points: epochs.map(({ epoch, matrices }) => [epoch, matrices[name]?.[of] ?? NaN] as const),
    }));
  return [
    element("h3", {}, "Epoch by epoch"),
    grid(
      "charts",
      lineChart({ title: "Effective rank", xLabel: "epoch", lines: lines("effectiveRank") }),
      lineChart({
        title: "Relative step of each epoch",
        xLabel: "epoch",
        format: ".1~%",
        fromZero: true,
        lines: lines("relativeStep"),
      }),
      lineChart({
        title: "Agreement with the teacher on validation examples",
        xLabel: "epoch",
        format: ".1~%",
        lines: [{
          name: "agreement",
          colour: seriesColour(1),
          points: epochs.map(({ epoch, agreement }) => [epoch, agreement ?? NaN] as const),
        }],
      }),
    ),
  ];
}

/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import { type Child, document, element, inAttribute } from "./elements.ts";

/** The colour of the n-th series, from 0. */
export const seriesColour = (index: number) => `var(--series-${1 + index % 6})`;

/** A point of a chart; a gap where a number is not finite. */
export type Point = readonly [x: number, y: number];

/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
  readonly colour: string;
  /** A dashed line; by default an even one. */
  readonly dashed?: boolean;
}

/** A height that something else is held against. */
export interface Level {
  readonly name: string;
  readonly y: number;
  readonly colour: string;
}

/** What a chart of lines shows. */
export interface LineChart {
  readonly title: string;
  /** A sentence below the title. */
  readonly note?: string;
  readonly xLabel: string;
  readonly lines: readonly Line[];
  readonly levels?: readonly Level[];
  /** How a height is written at the axis, as d3-format has it. */
  readonly format?: string;
  /** Where the axis of a few values has its marks: these, by their logarithms. */
  readonly xValues?: readonly number[];
  readonly fromZero?: boolean;
  /** One of many small charts. */
  readonly small?: boolean;
}

/** Width and height of charts, in the units of their drawing. */
const LARGE = { width: 460, height: 240 }, SMALL = { width: 250, height: 150 };

/** A drawing, its name for those who do not see it included. */
export function draw(words: string, options: Plot.PlotOptions): SVGElement {
  const plot = Plot.plot({ document, ...options }) as unknown as SVGElement;
  // What it says stands in the page's own style sheet.
  plot.querySelector("style")?.remove();
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", inAttribute(words));
  return plot;
}

/** A drawing with its title. */
export function figure(title: string, note: Child, ...children: readonly Child[]): HTMLElement {
  return element(
    "figure",
    {},
    element("figcaption", {}, title, note ? element("small", {}, note) : null),
    ...children,
  );
}

/** A chart of lines with its legend; `null` where no line has a point. */
export function lineChart(chart: LineChart): HTMLElement | null {
  const { title, note, xLabel, format, xValues, fromZero = false, small = false } = chart;
  const usable = Number.isFinite;
  const lines = chart.lines.filter(({ points }) => points.some(([, y]) => usable(y)));
  const levels = (chart.levels ?? []).filter(({ y }) => usable(y));
  if (lines.length === 0) return null;
  const size = small ? SMALL : LARGE;
  const words = lines.map(({ name, points }) => `${name} ends at ${shown(points.findLast(([, y]) => usable(y))![1])}`);
  const plot = draw(`${title}: ${[...words, ...levels.map(({ name, y }) => `${name} ${shown(y)}`)].join(", ")}`, {
    ...size,
    marginLeft: 48,
    marginRight: 12,
    marginTop: 10,
    marginBottom: small ? 30 : 36,
    style: { fontSize: small ? "11px" : "12px" },
    x: {
      label: xLabel,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: small ? 4 : 7,
      ...(xValues ? { type: "log", ticks: xValues, tickFormat: String } : { zero: true }),
    },
    y: {
      label: null,
      grid: true,
      ticks: small ? 3 : 5,
      tickFormat: format,
      zero: fromZero,
      nice: true,
    },
    marks: [
      ...levels.map(({ y, colour }) => Plot.ruleY([y], { stroke: colour, strokeDasharray: "6 4", strokeWidth: 1.5 })),
      ...lines.map(({ points, colour, dashed }) =>
        Plot.line(points.map(([x, y]) => [x, usable(y) ? y : NaN]), {
          stroke: colour,
          strokeWidth: 2,
          ...(dashed && { strokeDasharray: "4 3" }),
        })
      ),
      // A line of one point cannot be seen.
      ...lines.filter(({ points }) => points.filter(([, y]) => usable(y)).length <= 30).map(({ points, colour }) =>
        Plot.dot(points.filter(([, y]) => usable(y)), { fill: colour, r: small ? 2 : 2.5 })
      ),
    ],
  });
  const entries = [...lines, ...levels.map((level) => ({ ...level, dashed: true }))];
  return figure(title, note, entries.length > 1 ? legend(entries) : null, plot);
}

const shown = (value: number) => `${+value.toPrecision(3)}`;

/** Says which line is which. */
export function legend(
  entries: readonly { readonly name: string; readonly colour: string; readonly dashed?: boolean }[],
): HTMLElement {
  return element(
    "ul",
    { class: "legend" },
    entries.map(({ name, colour, dashed }) => {
      const attributes = {
        x1: 0,
        x2: 24,
        y1: 5,
        y2: 5,
        stroke: colour,
        "stroke-width": 2.5,
        ...(dashed && { "stroke-dasharray": "6 3" }),
      };
      const mark = svgElement("svg", { viewBox: "0 0 24 10", "aria-hidden": "true" }, svgElement("line", attributes));
      return element("li", {}, mark, name);
    }),
  );
}

function svgElement(name: string, attributes: Readonly<Record<string, string | number>>, ...children: SVGElement[]) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name) as unknown as SVGElement;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
  made.append(...children);
  return made;
}

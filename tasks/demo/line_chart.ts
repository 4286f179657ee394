import { svg } from "./svg.ts";
import { ticks } from "./ticks.ts";

/** A line, or single points, of a chart. */
export interface Series {
  readonly name: string;
  /** One of the style sheet's classes `series-1` to `series-3`. */
  readonly look: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** `level`: a dashed line at the last point's height. */
  readonly as: "line" | "points" | "level";
}

/** What a chart shows. */
export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly xMost: number;
  /** How a height is written. */
  readonly show: (value: number) => string;
  /** The least and the greatest height; those of the points where it is left out. */
  readonly yRange?: readonly [least: number, most: number];
  readonly series: readonly Series[];
}

const WIDTH = 420, HEIGHT = 230;
const LEFT = 54, RIGHT = 12, TOP = 10, BOTTOM = 38;

/** Draws a chart anew, with its legend, into a figure. */
export function drawLines(figure: HTMLElement, { title, xLabel, xMost, show, yRange, series }: LineChart): void {
  const heights = series.flatMap(({ points }) => points.map(([, y]) => y));
  const [least, most] = yRange ?? [0, Math.max(...heights, 1e-9) * 1.05];
  const x = (value: number) => LEFT + (WIDTH - LEFT - RIGHT) * value / Math.max(xMost, 1);
  const y = (value: number) => {
    const part = Math.min(Math.max((value - least) / (most - least), 0), 1);
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part;
  };
  const parts: SVGElement[] = [];
  for (const value of ticks(least, most, 4)) {
    parts.push(svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
    parts.push(svg("text", { class: "tick", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, show(value)));
  }
  for (const value of ticks(0, Math.max(xMost, 1), 5).filter(Number.isInteger)) {
    parts.push(
      svg("text", { class: "tick", x: x(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, `${value}`),
    );
  }
  parts.push(svg("text", { class: "axis", x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, xLabel));
  for (const { look, points, as } of series) {
    if (points.length === 0) continue;
    if (as === "level") {
      const height = y(points.at(-1)![1]);
      parts.push(svg("line", { class: `level ${look}`, x1: LEFT, x2: WIDTH - RIGHT, y1: height, y2: height }));
      continue;
    }
    if (as === "line" && points.length > 1) {
      const path = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" ");
      parts.push(svg("polyline", { class: `line ${look}`, points: path }));
    }
    const marked = as === "points" ? points : points.length === 1 ? points : [];
    for (const [px, py] of marked) parts.push(svg("circle", { class: `point ${look}`, cx: x(px), cy: y(py), r: 4 }));
  }
  const last = series.filter(({ points }) => points.length > 0)
    .map(({ name, points }) => `${name} ${show(points.at(-1)![1])}`);
  const words = last.length === 0 ? `${title}: nothing yet` : `${title}: ${last.join(", ")}`;
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words }, ...parts);
  figure.querySelector(":scope > svg")?.remove();
  figure.append(chart);
  drawLegend(figure, series);
}

function drawLegend(figure: HTMLElement, series: readonly Series[]): void {
  const legend = figure.querySelector(".legend")!;
  if (legend.childElementCount === series.length) return;
  legend.replaceChildren(...series.map(({ name, look, as }) => {
    const mark = as === "points"
      ? svg("circle", { class: `point ${look}`, cx: 11, cy: 6, r: 4 })
      : svg("line", { class: `${as} ${look}`, x1: 0, x2: 22, y1: 6, y2: 6 });
    const entry = document.createElement("span");
    entry.append(svg("svg", { viewBox: "0 0 22 12", width: 22, height: 12, "aria-hidden": "true" }, mark), name);
    return entry;
  }));
}

import * as Plot from "@observablehq/plot";
import { draw, figure, seriesColour } from "./plots.ts";

/** A difference as it is drawn: hollow where it may be noise. */
export interface DrawnDifference {
  readonly name: string;
  readonly value: number;
  readonly interval: readonly [low: number, high: number] | null;
  /** `null` where nothing is known of it. */
  readonly withinNoise: boolean | null;
}

/** Letters that names may take beside a chart. */
const marginFor = (names: readonly string[]) =>
  Math.min(180, 16 + 6.5 * Math.max(...names.map(({ length }) => length)));

/** A name as it stands beside a chart. */
export const shortened = (name: string) => name.length > 26 ? `${name.slice(0, 25)}…` : name;

/** The layout of a chart that has a line for each of some names. */
export const layoutOf = (names: readonly string[]) => ({
  width: 640,
  height: 56 + 28 * names.length,
  marginLeft: marginFor(names.map(shortened)),
  marginRight: 20,
  marginBottom: 40,
  style: { fontSize: "12px" },
  y: { label: null, domain: names, tickFormat: shortened, tickSize: 0 },
});

/** Differences with their intervals, a line for each, and 0. @param unit `points`, which are hundredths, or another */
export function intervalChart(differences: readonly DrawnDifference[], unit: string): HTMLElement {
  const ranges = differences.flatMap(({ name, interval }) =>
    interval ? [{ name, low: interval[0], high: interval[1] }] : []
  );
  const percent = unit === "points";
  const words = differences.map(({ name, value }) =>
    `${name} ${percent ? (100 * value).toFixed(2) : value.toFixed(4)}`
  );
  return figure(
    "",
    null,
    draw(`Differences in ${unit}: ${words.join(", ")}`, {
      ...layoutOf(differences.map(({ name }) => name)),
      x: { label: unit, labelAnchor: "center", labelArrow: "none", nice: true, grid: true, percent },
      marks: [
        Plot.ruleX([0], { stroke: seriesColour(1), strokeWidth: 1.5 }),
        Plot.ruleY(ranges, { x1: "low", x2: "high", y: "name", stroke: "currentColor", strokeWidth: 1.5 }),
        Plot.dot(differences, {
          x: "value",
          y: "name",
          r: 5.5,
          stroke: seriesColour(0),
          strokeWidth: 2,
          fill: ({ withinNoise }: DrawnDifference) => withinNoise === false ? seriesColour(0) : "var(--paper)",
        }),
      ],
    }),
  );
}

import type { Spectrum } from "./messages.ts";
import { svg } from "./svg.ts";

const WIDTH = 200, HEIGHT = 120;
const LEFT = 30, RIGHT = 6, TOP = 6, BOTTOM = 18;

/**
 * Draws the singular values of every chain, as they were and as they are.
 *
 * @param panels takes one small chart for each chain
 */
export function drawSpectra(panels: HTMLElement, before: readonly Spectrum[], now: readonly Spectrum[]): void {
  panels.replaceChildren(...now.map((spectrum, index) => {
    const first = before[index] ?? spectrum;
    const panel = document.createElement("div");
    const title = document.createElement("div");
    title.className = "panel-title";
    title.textContent = spectrum.layer.replace(/\.weight$/, "");
    const rank = document.createElement("div");
    rank.className = "panel-note";
    // The two stand on one line.
    rank.textContent = `effective rank ${first.effectiveRank.toFixed(1)}\u00a0→\u00a0${
      spectrum.effectiveRank.toFixed(1)
    }`;
    panel.append(title, drawOne(first, spectrum), rank);
    return panel;
  }));
}

function drawOne(before: Spectrum, now: Spectrum): SVGElement {
  const most = Math.max(...before.values, ...now.values, 1e-9) * 1.05;
  const last = Math.max(now.values.length - 1, 1);
  const x = (index: number) => LEFT + (WIDTH - LEFT - RIGHT) * index / last;
  const y = (value: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most;
  const path = (values: readonly number[]) =>
    values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const words = `Singular values of ${now.layer}: the largest ${before.values[0].toFixed(2)} at the start and ` +
    `${now.values[0].toFixed(2)} now`;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(0), y2: y(0) }),
    svg("line", { class: "grid", x1: LEFT, x2: LEFT, y1: TOP, y2: y(0) }),
    svg("text", { class: "tick", x: LEFT - 4, y: TOP + 8, "text-anchor": "end" }, most.toFixed(1)),
    svg("text", { class: "tick", x: LEFT - 4, y: y(0), "text-anchor": "end" }, "0"),
    svg("text", { class: "tick", x: LEFT, y: HEIGHT - 5, "text-anchor": "middle" }, "1"),
    svg(
      "text",
      { class: "tick", x: WIDTH - RIGHT, y: HEIGHT - 5, "text-anchor": "end" },
      `${now.values.length}`,
    ),
    svg("polyline", { class: "level series-3", points: path(before.values) }),
    svg("polyline", { class: "line series-1", points: path(now.values) }),
    ...now.values.map((value, index) => svg("circle", { class: "point series-1", cx: x(index), cy: y(value), r: 2 })),
  );
}

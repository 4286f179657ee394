import * as Plot from "@observablehq/plot";
import { type FrontPoint, isOnFront, rowsOf } from "../experiment/front.ts";
import { frontInWords, frontRows, MARKS_IN_WORDS } from "../experiment/front_table.ts";
import { isShare, meanInterval } from "../experiment/mean_interval.ts";
import { type Child, element, table } from "./elements.ts";
import { draw, figure, legend, seriesColour } from "./plots.ts";

/** Which series' colours rows have, the baseline the second as in all charts, the teacher the third. */
const BASELINE = 1, COLOURS = [0, 3, 4, 5];

/** How much of a point is filled. */
const FILL = { front: 1, equal: 0.6, tied: 0.25, near: 0, behind: 0 } as const;

const WORDS = {
  front: "on the front",
  equal: "on the front, equal to another within noise",
  tied: "on the front by the means alone",
  near: "within noise of the front",
  behind: "behind",
} as const;

/** The metric over the time of training, a line for each row with a point for each budget, and the front of all. */
export function budgetChart(points: readonly FrontPoint[], baseline: string, teacher: number | null): Child[] {
  if (points.length === 0) return [];
  const [{ metric }] = points;
  const rows = rowsOf(points);
  const others = rows.filter((row) => row !== baseline);
  const colourOf = (row: string) =>
    seriesColour(row === baseline ? BASELINE : COLOURS[others.indexOf(row) % COLOURS.length]);
  const share = isShare(metric);
  const drawn = points.map((point) => {
    const { row, budget, seconds, test, standing, epochs, value } = point;
    const interval = meanInterval(test, metric);
    const bounds = interval?.map((bound) => (100 * bound).toFixed(2)).join(", ");
    const time = `${seconds.median.toFixed(1)} s, ${epochs} epochs${value === null ? "" : ` at ${value}`}`;
    return {
      row,
      budget,
      seconds: seconds.median,
      mean: test.mean,
      low: interval?.[0] ?? test.mean,
      high: interval?.[1] ?? test.mean,
      colour: colourOf(row),
      standing,
      onFront: isOnFront(standing),
      filled: FILL[standing],
      title: `${row} at ${budget}: ${(100 * test.mean).toFixed(2)}${bounds ? ` [${bounds}]` : ""} in ${time}, ${
        WORDS[standing]
      }`,
    };
  }).toSorted((a, b) => a.seconds - b.seconds);
  // Of some that are equal within noise the best by the means, so that its steps lead up.
  const front = drawn.filter(({ onFront, mean }, index) =>
    onFront && drawn.slice(0, index).every((other) => !other.onFront || other.mean < mean)
  );
  const last = { ...(front.at(-1) ?? drawn[0]), seconds: drawn.at(-1)!.seconds };
  // Further rows have colours of earlier ones, and dashes.
  const entries = rows.map((name) => ({
    name,
    colour: colourOf(name),
    dashed: others.indexOf(name) >= COLOURS.length,
  }));
  const levels = teacher === null ? [] : [{ name: "teacher", colour: "var(--series-3)", dashed: true }];
  const near = nearTop(drawn, teacher);
  /** @param from where its axis begins; `null`: below all */
  const picture = (from: number | null) =>
    draw(
      `Test ${metric} over seconds of training${from === null ? "" : `, from ${shownScore(from, share)} on`}. ${
        frontInWords(points)
      }`,
      {
        width: 640,
        height: 360,
        marginLeft: 48,
        marginRight: 24,
        marginTop: 28,
        marginBottom: 42,
        clip: from !== null,
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
          ...(from !== null && {
            domain: [from, Math.max(...drawn.map(({ high }) => high), teacher ?? from)].map((y) => share ? 100 * y : y),
          }),
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
            fill: "var(--paper)",
          }),
          Plot.dot(drawn, { x: "seconds", y: "mean", r: 5, fill: "colour", fillOpacity: "filled", title: "title" }),
        ],
      },
    );
  return [
    element(
      "p",
      { class: "faint" },
      "A point is a training of its own, with schedules of its length: the mean over seeds with its 95 % interval by " +
        "Student's t. Filled points are on the front (the grey steps): none that takes no more time is as good; a paler one " +
        "is equal to another within noise, the palest is there by its mean alone. Hollow points are behind. The axis of " +
        "time is logarithmic.",
    ),
    figure("", null, legend([...entries, ...levels]), picture(null)),
    near === null ? null : figure(`The same from ${shownScore(near, share)} on`, null, picture(near)),
    frontTable(points),
  ];
}

const shownScore = (score: number, share: boolean) => share ? `${(100 * score).toFixed(0)} %` : score.toFixed(2);

/** A part of the picture below which only points are that say nothing of the front is not worth this much of it. */
const MOST_BELOW = 0.6;

/** Where the part of a picture begins that has the front and what is near it; `null` where that is most of it. */
function nearTop(
  points: readonly { readonly low: number; readonly high: number; readonly standing: FrontPoint["standing"] }[],
  teacher: number | null,
): number | null {
  const near = points.filter(({ standing }) => standing !== "behind");
  const highs = [...points.map(({ high }) => high), ...teacher === null ? [] : [teacher]];
  const [top, bottom, least] = [
    Math.max(...highs),
    Math.min(...near.map(({ low }) => low)),
    Math.min(...points.map(({ low }) => low)),
  ];
  // As much again below, so that what is just behind is seen.
  const from = Math.floor(100 * (bottom - (top - bottom))) / 100;
  return from - least > MOST_BELOW * (top - least) ? from : null;
}

/** As `results.md` has it. */
function frontTable(points: readonly FrontPoint[]): Child {
  const budgets = [...new Set(points.map(({ budget }) => budget))];
  return [table(["row", ...budgets], frontRows(points, budgets)), element("p", { class: "faint" }, MARKS_IN_WORDS)];
}

/** Round numbers of seconds within some bounds, for a logarithmic axis: 1, 2 and 5 times powers of ten. */
export function roundTimes(least: number, most: number): number[] {
  const powers = Array.from({ length: 16 }, (_, index) => 10 ** (index - 6));
  const all = powers.flatMap((power) => [1, 2, 5].map((factor) => +(factor * power).toPrecision(1)));
  const within = all.filter((time) => time >= least && time <= most);
  // Times that are close to each other have no round one between them.
  if (within.length >= 2) return within;
  return [...new Set([least, ...within, most].map((time) => +time.toPrecision(3)))];
}

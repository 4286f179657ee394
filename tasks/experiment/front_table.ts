import { devicesNote } from "./devices.ts";
import { frontOf, type FrontPoint, isOnFront, repeatsOf, rowsOf } from "./front.ts";
import type { BudgetPart } from "./run_budgets.ts";
import { showPart, type Table } from "./tables.ts";

/** What stands before an entry. */
const MARKS = { front: "*", equal: "=", tied: "(*)", near: "~", behind: "" } as const;

/** What the marks mean. */
export const MARKS_IN_WORDS =
  "* is on the front: it is better by more than noise (Welch's t, 95 %) than every entry that takes no more time. = is on " +
  "it, too, and another one is equal to it within noise, in time as in the metric. (*) is on it by the means alone: a " +
  "quicker one is as good within noise. ~ is behind it, but within noise; of those without a mark another is better by " +
  "more than noise, and takes no more time. Times are medians, and equal within noise where they differ by less than " +
  "twice what runs of one entry do. Of one run noise is not known. Each mark comes of many comparisons at 95 %, of which " +
  "one in twenty misses, and of the seeds of this table: what fresh seeds say stands with each budget.";

/** The table of an experiment with budgets: what each row reaches in what time, and who is on the front. */
export function frontTable(name: string, parts: readonly BudgetPart[]): Table {
  const points = frontOf(parts);
  const budgets = parts.map(({ budget }) => budget!.name);
  const leftOut = parts.flatMap(({ budget, leftOut }) =>
    leftOut.map(({ name, seconds }) =>
      `"${name}" has no time for an epoch of ${seconds.toFixed(1)} s in ${budget!.name}.`
    )
  );
  return {
    title: `${name}: test ${points.at(0)?.metric ?? "accuracy"} % by budget`,
    header: ["row", ...budgets],
    rows: frontRows(points, budgets),
    notes: [
      "In brackets the median seconds of training, teacher and validation in them; each entry is a training of its own with " +
      "schedules of its length.",
      MARKS_IN_WORDS,
      ...(points.length > 0 ? [`${frontInWords(points)}.`] : []),
      ...leftOut,
      ...repeatsOf(parts).map(({ row, budget, shorter }) =>
        `"${row}" has as many epochs in ${budget} as in ${shorter}: its runs stand there.`
      ),
      ...devicesNote(parts.flatMap(({ results }) => results.flatMap(({ runs }) => runs))),
    ],
  };
}

/** The cells of the table: rows by budgets, `-` where there is no point. */
export function frontRows(points: readonly FrontPoint[], budgets: readonly string[]): string[][] {
  return rowsOf(points).map((row) => [
    row,
    ...budgets.map((budget) => {
      const point = points.find((point) => point.row === row && point.budget === budget);
      return point ? cellOf(point) : "-";
    }),
  ]);
}

function cellOf({ test, seconds, standing }: FrontPoint): string {
  const mark = MARKS[standing];
  return `${mark}${mark ? " " : ""}${showPart(test)} (${secondsOf(seconds.median)} s)`;
}

/** Who is on the front, from the quickest to the best: `KD at 1x (84.50 in 18 s), (*) OPDF at 4x`. */
export function frontInWords(points: readonly FrontPoint[]): string {
  const front = points.filter(({ standing }) => isOnFront(standing))
    .toSorted((a, b) => a.seconds.median - b.seconds.median);
  const words = front.map(({ row, budget, test, seconds, standing }) =>
    `${standing === "front" ? "" : `${MARKS[standing]} `}${row} at ${budget} (${(100 * test.mean).toFixed(2)} in ${
      secondsOf(seconds.median)
    } s)`
  );
  return `The front from the quickest to the best: ${words.join(", ")}`;
}

/** As many digits as a time of training has that can be told again. */
const secondsOf = (seconds: number) => seconds.toFixed(seconds < 100 ? 1 : 0);

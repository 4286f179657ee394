import assert from "node:assert/strict";
import { parseBudget } from "../../../tasks/experiment/budgets.ts";
import type { Experiment } from "../../../tasks/experiment/experiment.ts";
import { frontOf, standingsOf, timesOf } from "../../../tasks/experiment/front.ts";
import { frontInWords, frontTable } from "../../../tasks/experiment/front_table.ts";
import { meanInterval } from "../../../tasks/experiment/mean_interval.ts";
import type { BudgetPart } from "../../../tasks/experiment/run_budgets.ts";
import { textOf } from "../../../tasks/experiment/tables.ts";
import { fakeRow, fakeRun } from "./fakes.ts";

/** A point of five runs with a deviation of .01 in the metric, and of .1 s. */
const point = (seconds: number, test: number, count = 5, spread = 0.1) => ({
  seconds: {
    count,
    mean: seconds,
    deviation: count > 1 ? spread : null,
    median: seconds,
    spread: count > 1 ? spread : null,
  },
  test: { count, mean: test, deviation: count > 1 ? 0.01 : null },
});

Deno.test("on the front is what is better than all that take no more time; what noise alone puts there is told apart", () => {
  const known = [
    [10, 0.80, "front"],
    [20, 0.85, "front"],
    // Slower than the last, and half a point worse: within noise of 1 point, whose interval is 1.46.
    [21, 0.845, "near"],
    // Two points worse at a higher cost.
    [25, 0.83, "behind"],
    // As good as another, later; as quick as another, worse.
    [30, 0.85, "near"],
    [10, 0.70, "behind"],
    // Which of the two is the quicker is the clock's noise, and which the better the metric's.
    [40, 0.90, "equal"],
    [40.2, 0.902, "equal"],
    // Better than all by the means, but not than the last by more than noise.
    [50, 0.905, "tied"],
    // The quickest but one by the means, but not by more than noise, and worse by more.
    [9.9, 0.7, "behind"],
    [9, 0.65, "front"],
  ] as const;
  assert.deepEqual(
    standingsOf(known.map(([seconds, test]) => point(seconds, test))),
    known.map(([, , standing]) => standing),
  );
  // Ten percent of spread in all: then a tenth of time is nothing.
  const noisy = standingsOf([point(10, 0.8, 5, 1), point(11, 0.8, 5, 1.1), point(20, 0.8, 5, 2)]);
  assert.deepEqual(noisy, ["equal", "equal", "near"]);
  // Runs that are alike by chance do not make the clock exact.
  const alike = [point(10, 0.8, 5, 0), point(10.5, 0.8, 5, 0)];
  const others = [point(30, 0.7, 5, 1.5), point(40, 0.7, 5, 2), point(50, 0.7, 5, 2.5)];
  assert.deepEqual(standingsOf([...alike, ...others]).slice(0, 2), ["equal", "equal"]);
  assert.deepEqual(standingsOf(alike), ["front", "near"]);
});

Deno.test("of one run nothing is behind, and twins stand alike", () => {
  assert.deepEqual(standingsOf([point(10, 0.9, 1), point(20, 0.5, 1), point(30, 0.99, 1)]), ["front", "near", "tied"]);
  assert.deepEqual(standingsOf([point(10, 0.9), point(10, 0.9)]), ["equal", "equal"]);
  assert.deepEqual(standingsOf([]), []);
});

Deno.test("a time is the median of its runs: one that was disturbed neither slows a row nor widens its noise", () => {
  const { median, spread, count } = timesOf([10, 10.2, 30, 9.9, 10.1]);
  assert.deepEqual([median, count], [10.1, 5]);
  assert.ok(Math.abs(spread! - 1.4826 * 0.1) < 1e-9, `${spread}`);
  assert.equal(timesOf([10, 12]).median, 11);
  assert.equal(timesOf([10]).spread, null);
});

Deno.test("the interval of a mean is Student's t, within what the metric can be", () => {
  const near = (actual: readonly number[] | null, expected: readonly number[]) =>
    actual!.forEach((bound, index) => assert.ok(Math.abs(bound - expected[index]) < 1e-6, `${actual}`));
  // t with 4 degrees of freedom is 2.776445, over the square root of 5.
  near(meanInterval({ count: 5, mean: 0.8, deviation: 0.01 }, "accuracy"), [0.8 - 0.01241664, 0.8 + 0.01241664]);
  near(meanInterval({ count: 2, mean: 0.9, deviation: 0.1 }, "accuracy"), [0.9 - 12.7062047 * 0.1 / Math.SQRT2, 1]);
  near(meanInterval({ count: 2, mean: 0, deviation: 0.5 }, "matthews"), [-1, 1]);
  assert.equal(meanInterval({ count: 1, mean: 0.8, deviation: null }, "accuracy"), null);
  assert.equal(meanInterval({ count: 3, mean: 0.8, deviation: 0 }, "accuracy"), null, "all alike");
});

const experiment: Experiment = {
  name: "test",
  rows: [fakeRow("KD", 4), fakeRow("OPDF", 6)],
  seeds: [1, 2],
  baseline: "KD",
  tune: null,
  resample: null,
};

function part(budget: string, rows: Readonly<Record<string, readonly [seconds: number, tests: readonly number[]]>>) {
  const results = Object.entries(rows).map(([name, [seconds, tests]]) => {
    const runs = tests.map((test, index) => fakeRun(index + 1, { test, seconds, epochs: 5 }));
    return { name, epochs: null, tuned: null, runs, common: null };
  });
  return { budget: parseBudget(budget), experiment, results, leftOut: [] } satisfies BudgetPart;
}

Deno.test("the table has each row at each budget, the front in words, and who has no time", () => {
  const parts: BudgetPart[] = [
    { ...part("10s", { OPDF: [10, [0.8, 0.82]] }), leftOut: [{ name: "KD", seconds: 12.34 }] },
    part("40s", { KD: [40, [0.88, 0.9]], OPDF: [120, [0.89, 0.89]] }),
  ];
  const table = frontTable("test", parts);
  assert.deepEqual(textOf(table).slice(0, 4), [
    "test: test accuracy % by budget",
    "row                       10s                      40s",
    "KD                          -  * 89.00 ± 1.41 (40.0 s)",
    "OPDF  * 81.00 ± 1.41 (10.0 s)   ~ 89.00 ± 0.00 (120 s)",
  ]);
  assert.deepEqual(table.notes.slice(2), [
    "The front from the quickest to the best: OPDF at 10s (81.00 in 10.0 s), KD at 40s (89.00 in 40.0 s).",
    '"KD" has no time for an epoch of 12.3 s in 10s.',
  ]);
  assert.equal(frontInWords(frontOf(parts)), table.notes[2].slice(0, -1));
});

Deno.test("a row of another metric, or without a run, is no point", () => {
  const own = part("1x", { KD: [10, [0.5, 0.6]], OPDF: [10, []] });
  assert.deepEqual(frontOf([own]).map(({ row }) => row), ["KD"]);
  const agreement = own.results.map((row) => ({
    ...row,
    name: "OPDF",
    runs: row.runs.map((run) => ({
      ...run,
      summary: { ...run.summary, student: { ...run.summary.student, metrics: { agreement: 0.9 } } },
    })),
  }));
  const mixed = { ...own, results: [own.results[0], agreement[0]] };
  assert.deepEqual(frontOf([mixed]).map(({ row, metric, epochs }) => [row, metric, epochs]), [["KD", "accuracy", 5]]);
});

Deno.test("a row with as many epochs in a longer time as in a shorter one has one point, and equals itself nowhere", () => {
  const parts = [
    part("40s", { KD: [30, [0.8, 0.82]], OPDF: [39, [0.9, 0.92]] }),
    part("50s", { KD: [45, [0.84, 0.86]], OPDF: [39, [0.9, 0.92]] }),
  ];
  const points = frontOf(parts).map(({ row, budget, standing }) => [row, budget, standing]);
  assert.deepEqual(points, [["KD", "40s", "front"], ["OPDF", "40s", "front"], ["KD", "50s", "near"]]);
  const { rows, notes } = frontTable("test", parts);
  assert.deepEqual(rows.map((row) => [row[0], row[2]]), [["KD", "~ 85.00 ± 1.41 (45.0 s)"], ["OPDF", "-"]]);
  assert.equal(notes.at(-1), '"OPDF" has as many epochs in 50s as in 40s: its runs stand there.');
});

Deno.test("the front says that its seconds are of several devices", () => {
  const own = part("1x", { KD: [10, [0.5, 0.6]] });
  const [first, second] = own.results[0].runs.map(({ summary }, index) => ({ ...summary, device: `device ${index}` }));
  const runs = own.results[0].runs.map((run, index) => ({ ...run, summary: [first, second][index] }));
  const { notes } = frontTable("test", [{ ...own, results: [{ ...own.results[0], runs }] }]);
  assert.equal(notes.at(-1), "Seconds are of different devices, and not comparable: device 0; device 1.");
});

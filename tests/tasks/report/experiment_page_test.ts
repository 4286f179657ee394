/// <reference lib="dom" />
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import "../../../core/deno/install.ts";
import type { Experiment } from "../../../tasks/experiment/experiment.ts";
import type { Outcome } from "../../../tasks/experiment/outcome.ts";
import { parseBudget } from "../../../tasks/experiment/budgets.ts";
import { frontOf } from "../../../tasks/experiment/front.ts";
import { rowStatistics } from "../../../tasks/experiment/row_statistics.ts";
import { roundTimes } from "../../../tasks/report/budget_chart.ts";
import { experimentPage } from "../../../tasks/report/experiment_page.ts";
import { writeReport } from "../../../tasks/report/write_report.ts";
import { fakeRow, fakeRun } from "../experiment/fakes.ts";

const HOSTILE = `<script>alert("1")</script>&amp;`;

const seeds = [1, 2, 3];
const runs = (scores: readonly number[], rate: number) =>
  scores.map((test, index) => fakeRun(seeds[index], { test, validation: test, rate }));

function page(
  rows: Readonly<Record<string, readonly Outcome[]>>,
  tune: Experiment["tune"] = null,
  notes: string[] = [],
) {
  const names = Object.keys(rows);
  const experiment = {
    name: HOSTILE,
    rows: names.map((name) => fakeRow(name, 4)),
    seeds,
    baseline: names[0],
    tune,
    resample: null,
  };
  const results = names.map((name) => {
    const trials = (tune?.values ?? []).map((value, index) => ({ value, validation: [0.5 + index / 10], failed: 0 }));
    return { name, epochs: null, tuned: tune && { chosen: tune.values[0], trials }, runs: rows[name], common: null };
  });
  const lines = rowStatistics(experiment, results);
  // As it is written and read again.
  const read = JSON.parse(
    JSON.stringify({
      experiment: HOSTILE,
      version: "0",
      seeds,
      baseline: names[0],
      tuning: tune,
      notes,
      lines,
      results,
    }),
  );
  const html = experimentPage(read);
  const { document } = parseHTML(html);
  assert.equal(document.querySelectorAll("script, img").length, 0);
  assert.ok(!/(?<![\w-])(?:NaN|undefined|\[object)/.test(html));
  const headings = Array.from(document.querySelectorAll("h2"), ({ textContent }) => textContent);
  return { document, headings, text: document.body.textContent! };
}

const tuning = {
  key: "train.optimiser.learningRate",
  values: [0.1, 0.2],
  seeds: [1],
  common: null,
  change: () => assert.fail(),
};

Deno.test("a comparison shows means with intervals, differences, values that were tried and the paper's figure 2", () => {
  const rows = { plain: runs([0.8, 0.82, 0.84], 1), [HOSTILE]: runs([0.9, 0.91, 0.92], 2.5) };
  const { document, headings, text } = page(rows, tuning, [`picked ${HOSTILE}`]);
  assert.deepEqual(headings, [
    "Test accuracy",
    "Difference to plain",
    "Over the values that were tried",
    "Over the parameters in training",
    "All numbers",
  ]);
  assert.ok(text.includes(`picked ${HOSTILE}`));
  const labels = Array.from(document.querySelectorAll("svg[role=img]"), (svg) => svg.getAttribute("aria-label")!);
  assert.equal(labels[0], `Test accuracy of each row: plain 82.00, ${HOSTILE} 91.00`);
  assert.equal(labels[1], `Differences in points: ${HOSTILE} 9.00`);
  assert.match(labels[3], /plain × 1\.00 82\.00/);
  // Each run and each mean is a dot, the means have lines, and the baseline a band.
  const [dots] = document.querySelectorAll("svg[role=img]");
  assert.deepEqual(["circle", "rect"].map((name) => dots.querySelectorAll(name).length), [8, 1]);
  // 2.00 / sqrt(3) times 4.303, the quantile of t with 2 degrees of freedom.
  assert.match(dots.textContent!, /plain: 82\.00 \[77\.03, 86\.97\]/);
  // Both differ by more than noise.
  assert.equal(
    document.querySelectorAll("svg[role=img]")[1].querySelector("circle")!.getAttribute("fill"),
    "var(--series-1)",
  );
  assert.match(text, /plain0\.182\.00 ± 2\.00/);
});

Deno.test("an interval ends where its metric does", () => {
  const rows = { plain: runs([0.9, 1, 1], 1), low: runs([0, 0, 0.1], 1) };
  const [dots] = page(rows).document.querySelectorAll("svg[role=img]");
  assert.match(dots.textContent!, /plain: 96\.67 \[82\.32, 100\.00\]/);
  assert.match(dots.textContent!, /low: 3\.33 \[0\.00, 17\.68\]/);
});

Deno.test("one seed has no intervals, and rows that failed are named", () => {
  const single = page({ plain: [fakeRun(1, { test: 0.8 })], other: [fakeRun(1, { test: 0.7 })] });
  assert.deepEqual(single.headings, ["Test accuracy", "Difference to plain", "All numbers"]);
  assert.equal(single.document.querySelector("svg")!.querySelectorAll("rect").length, 0);
  const failure: Outcome = { folder: "x", seed: 1, failure: "a loss is too large" };
  const failed = page({ plain: [failure], other: [failure] });
  assert.match(failed.text, /1 run of plain failed\.1 run of other failed\.No run came to its end/);
  assert.deepEqual(failed.headings, ["All numbers"]);
});

Deno.test("a row of another metric is in no chart, and seconds of several devices are told to be none to compare", () => {
  const measured = (score: number, metrics: Record<string, number>, device: string) => {
    const run = fakeRun(1, { test: score, validation: score, device });
    return [{ ...run, summary: { ...run.summary, student: { ...run.summary.student, metrics } } }];
  };
  const { document, text } = page({
    plain: measured(0.8, { f1: 0.6 }, "AVX2, 1 thread"),
    other: measured(0.7, { agreement: 0.9 }, "AVX2, 4 threads"),
    third: measured(0.7, { f1: 0.5 }, "AVX2, 1 thread"),
  }, tuning);
  const charts = document.querySelectorAll("svg[role=img]");
  assert.equal(charts[0].getAttribute("aria-label"), "Test f1 of each row: plain 60.00, third 50.00");
  for (const chart of Array.from(charts)) assert.doesNotMatch(chart.outerHTML, /other/);
  assert.match(text, /other\S*90\.00 agreement/);
  assert.match(text, /Measured by another metric than f1, and in no chart: other\./);
  assert.match(text, /Seconds are of different devices, and not comparable: AVX2, 1 thread; AVX2, 4 threads\./);
});

/** What `results.json` says of rows at two budgets: scores by row. */
function budgetResults(...scores: readonly Readonly<Record<string, readonly number[]>>[]) {
  const parts = scores.map((scores, index) => {
    const rows = Object.entries(scores);
    const name = `${4 ** index}x`;
    const experiment = {
      ...{ name, rows: rows.map(([row]) => fakeRow(row, 4)), seeds, baseline: rows[0][0], tune: null, resample: null },
    };
    const results = rows.map(([row, tests]) => {
      const runs = tests.map((test, seed) => fakeRun(seeds[seed], { test, seconds: 10 * 4 ** index, epochs: 5 }));
      return { name: row, epochs: null, tuned: null, runs, common: null };
    });
    return { budget: parseBudget(name), experiment, results, leftOut: [] };
  });
  const { experiment, results } = parts.at(-1)!;
  const budgets = parts.map(({ budget, experiment, results }) => {
    return { budget: budget.name, lines: rowStatistics(experiment, results), results };
  });
  const lines = rowStatistics(experiment, results);
  const all = { experiment: HOSTILE, version: "0", seeds, baseline: "plain", tuning: null, notes: [], lines, results };
  return JSON.parse(JSON.stringify({ ...all, budgets, front: frontOf(parts) }));
}

Deno.test("budgets have a picture of their own with the front, and what follows is of the longest", () => {
  const html = experimentPage(budgetResults(
    { plain: [0.8, 0.82, 0.84], [HOSTILE]: [0.7, 0.71, 0.72] },
    { plain: [0.88, 0.89, 0.9], [HOSTILE]: [0.88, 0.88, 0.88] },
  ));
  assert.ok(!/(?<![\w-])(?:NaN|undefined|\[object)/.test(html));
  const { document } = parseHTML(html);
  assert.equal(document.querySelectorAll("script, img").length, 0);
  assert.deepEqual(Array.from(document.querySelectorAll("h2"), ({ textContent }) => textContent), [
    "Over the time of training",
    "Test accuracy at 4x",
    "Difference to plain at 4x",
    "All numbers at 4x",
  ]);
  const [picture] = document.querySelectorAll("svg[role=img]");
  assert.equal(
    picture.getAttribute("aria-label"),
    "Test accuracy over seconds of training. The front from the quickest to the best: plain at 1x (82.00 in 10.0 s), " +
      `= plain at 4x (89.00 in 40.0 s), = ${HOSTILE} at 4x (88.00 in 40.0 s)`,
  );
  // Each mean is a white dot with another on it, which is filled on the front alone.
  const filled = Array.from(
    picture.querySelectorAll("circle[fill-opacity]"),
    (dot) => `${dot.getAttribute("fill")} ${dot.getAttribute("fill-opacity")}`,
  );
  assert.deepEqual(filled.toSorted(), [
    // The baseline has the second colour, as in the charts below.
    "var(--series-1) 0",
    "var(--series-1) 0.6",
    "var(--series-2) 0.6",
    "var(--series-2) 1",
  ]);
  assert.match(picture.textContent!, /plain at 4x: 89\.00 \[86\.52, 91\.48\] in 40\.0 s, 5 epochs, on the front/);
  const cells = Array.from(
    document.querySelectorAll("table")[0].querySelectorAll("tr"),
    (row) => Array.from(row.querySelectorAll("th, td"), ({ textContent }) => textContent),
  );
  assert.deepEqual(cells, [
    ["row", "1x", "4x"],
    ["plain", "* 82.00 ± 2.00 (10.0 s)", "= 89.00 ± 1.00 (40.0 s)"],
    [HOSTILE, "71.00 ± 1.00 (10.0 s)", "= 88.00 ± 0.00 (40.0 s)"],
  ]);
});

Deno.test("what fresh seeds say at each budget is shown, of whichever is confirmed", () => {
  const results = budgetResults(
    { plain: [0.8, 0.82, 0.84], other: [0.7, 0.71, 0.72] },
    { plain: [0.9, 0.91, 0.92], other: [0.9, 0.91, 0.93] },
  );
  const [{ lines: [plain, other] }] = results.budgets;
  plain.confirmed = { test: plain.test, difference: null };
  other.confirmed = { test: other.test, difference: { value: -0.01, interval: [-0.03, 0.01], withinNoise: true } };
  const { document } = parseHTML(experimentPage(results));
  const section = Array.from(document.querySelectorAll("section")).find((section) =>
    section.querySelector("h2")!.textContent === "On fresh seeds"
  )!;
  const cells = Array.from(section.querySelectorAll("td"), ({ textContent }) => textContent);
  assert.deepEqual(cells, ["other", "1x", "-11.00 [-15.16, -6.84]", "-1.00 [-3.00, +1.00] ~"]);
});

Deno.test("where a row far below would press the others together, they have a picture to themselves", async () => {
  const results = budgetResults(
    { plain: [0.94, 0.95, 0.96], far: [0.4, 0.5, 0.6] },
    { plain: [0.95, 0.95, 0.97], far: [0.91, 0.92, 0.93] },
  );
  const figures = (html: string) =>
    Array.from(parseHTML(html).document.querySelectorAll("section")[0].querySelectorAll("figure"));
  const [whole, near] = figures(experimentPage(results));
  assert.match(near.querySelector("figcaption")!.textContent!, /^The same from 86 % on$/);
  const heights = (figure: Element) => {
    const ticks = figure.querySelectorAll("g[aria-label='y-axis tick label'] text");
    return Array.from(ticks, ({ textContent }) => Number(textContent));
  };
  assert.ok(Math.min(...heights(whole)) < 50, `${heights(whole)}`);
  assert.ok(Math.min(...heights(near)) > 85 && Math.max(...heights(near)) <= 100, `${heights(near)}`);
  assert.equal(figures(experimentPage(budgetResults({ plain: [0.8, 0.82], other: [0.75, 0.76] }))).length, 1);

  // Of an older version, which did not say the median of seconds.
  for (const { seconds } of results.front) delete seconds.median;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "results.json"), JSON.stringify(results));
    assert.match(await Deno.readTextFile(await writeReport(folder)), /95\.67 ± 1\.15 \(40\.0 s\)/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("round times lie within the bounds of an axis, or are these where there is none between", () => {
  assert.deepEqual(roundTimes(3, 120), [5, 10, 20, 50, 100]);
  assert.deepEqual(roundTimes(0.04, 0.3), [0.05, 0.1, 0.2]);
  assert.deepEqual(roundTimes(11.234, 12.5), [11.2, 12.5]);
  assert.deepEqual(roundTimes(1.21, 2.93), [1.21, 2, 2.93]);
  assert.deepEqual(roundTimes(7, 7), [7]);
});

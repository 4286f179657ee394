/// <reference lib="dom" />
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import "../../../core/deno/install.ts";
import type { Experiment } from "../../../tasks/experiment/experiment.ts";
import type { Outcome } from "../../../tasks/experiment/outcome.ts";
import { rowStatistics } from "../../../tasks/experiment/row_statistics.ts";
import { experimentPage } from "../../../tasks/report/experiment_page.ts";
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

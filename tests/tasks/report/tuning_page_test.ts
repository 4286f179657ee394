/// <reference lib="dom" />
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import "../../../core/deno/install.ts";
import { tuningPage } from "../../../tasks/report/tuning_page.ts";
import { writeReport } from "../../../tasks/report/write_report.ts";
import type { TuningRecord } from "../../../tasks/tune/tuning_record.ts";

const HOSTILE = `<script>alert("1")</script>&amp;`;

const worth = (value: number, half: number) => ({
  value,
  interval: [value - half, value + half] as const,
  withinNoise: Math.abs(value) < half,
});

const none = { best: 0, against: 0, givenUp: 0 };

const record: TuningRecord = {
  version: "0",
  name: HOSTILE,
  seed: 0,
  search: "asha",
  seconds: { budget: 1800, used: 1771 },
  metric: "accuracy",
  resources: [1 / 3, 1],
  best: { trial: 2, configuration: { start: HOSTILE } },
  decided: [
    { trial: 2, configuration: { start: HOSTILE }, score: 0.85, mean: 0.84 },
    { trial: 0, configuration: {}, score: 0.86, mean: 0.83 },
  ],
  verdict: {
    seeds: [3, 4, 5],
    failed: 0,
    findings: [
      { lever: "start", best: HOSTILE, against: "own", worth: worth(0.069, 0.01), pairs: 3, failed: none },
      { lever: "cores", best: "3 cores", against: "none", worth: worth(-0.001, 0.005), pairs: 3, failed: none },
      { lever: "decay", best: 0.1, against: 0, worth: null, pairs: 0, failed: none },
    ],
  },
  test: { run: "r", examples: 20, student: { accuracy: 0.8 }, teacher: null },
  trials: [
    { trial: 0, configuration: {}, scores: [0.7, 0.86] },
    { trial: 1, configuration: { rate: 0.3 }, scores: [0.6] },
    { trial: 2, configuration: { start: HOSTILE }, scores: [0.65, 0.85] },
    { trial: 3, configuration: { rate: 9 }, scores: [null] },
  ],
  tested: ["r"],
  said: [`Best of ${HOSTILE}.`],
  left: ["momentum"],
  validation: "train",
};

function page(changes: Partial<TuningRecord> = {}) {
  const html = tuningPage(JSON.parse(JSON.stringify({ ...record, ...changes })));
  const { document } = parseHTML(html);
  assert.equal(document.querySelectorAll("script, img").length, 0);
  assert.ok(!/(?<![\w-])(?:NaN|undefined|\[object)/.test(html));
  const labels = Array.from(document.querySelectorAll("svg[role=img]"), (svg) => svg.getAttribute("aria-label")!);
  const cells = Array.from(
    document.querySelectorAll("tr"),
    (row) => Array.from(row.querySelectorAll("td"), ({ textContent }) => textContent).join(" | "),
  );
  return { document, labels, cells, text: document.body.textContent! };
}

Deno.test("a tuning shows what it says, each lever's worth, and every trial", () => {
  const { document, labels, cells, text } = page();
  const headings = Array.from(document.querySelectorAll("h2"), ({ textContent }) => textContent);
  assert.deepEqual(headings, ["What each lever is worth here", "Search: 4 trials, 2 to their end, 1 lost"]);
  assert.ok(text.includes(`Best of ${HOSTILE}.`) && text.includes("29:31 of 30:00"));
  // The one that was not measured is in the table alone.
  assert.equal(labels[0], "Differences in points: start 6.90, cores -0.10");
  assert.ok(cells.includes("cores | 3 cores | none | -0.10 [-0.60, +0.40] | within noise"));
  assert.ok(cells.includes("decay | 0.1 | 0 | - | not measured: no time"));
  assert.ok(cells.includes(`2 | 65.00 | 85.00 | 84.00 | start: ${HOSTILE}`));
  assert.ok(cells.includes("3 | lost |  |  | rate: 9"));
  assert.equal(
    labels[1],
    "Validation accuracy by trial: trial 0, whole: 86.00 %; the recipe as it is. " +
      `trial 1, 1/3: 60.00 %; rate: 0.3. trial 2, whole: 85.00 %; start: ${HOSTILE}`,
  );
});

Deno.test("where validation is a split of its own, what a verdict cannot tell is said", () => {
  const note = 'Validation examples are of "dev"';
  assert.ok(page({ validation: "dev" }).text.includes(note) && !page().text.includes(note));
});

Deno.test("a loss is shown as it is, not as what is compared", () => {
  const trials = [{ trial: 0, configuration: {}, scores: [-0.9, -0.5] }];
  const findings = [{ ...record.verdict.findings[0], worth: worth(0.069, 0.01) }];
  const { labels } = page({ metric: "loss", trials, verdict: { seeds: [1], failed: 0, findings } });
  assert.deepEqual(labels, [
    "Differences in lower loss: start 0.0690",
    "Validation loss by trial: trial 0, whole: 0.5000; the recipe as it is",
  ]);
});

Deno.test("without a verdict, and of an older version, there is the search alone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { said: _, left: __, ...older } = { ...record, verdict: { seeds: [], failed: 0, findings: [] } };
    await Deno.writeTextFile(join(folder, "experiment.json"), "{}");
    await assert.rejects(writeReport(folder), {
      name: "UserError",
      message: /^Cannot report on .* as there is no result in it yet: the command that began it goes on to one$/,
    });
    await Deno.writeTextFile(join(folder, "tune.json"), JSON.stringify(older));
    const text = await Deno.readTextFile(await writeReport(folder));
    const { document } = parseHTML(text);
    const headings = Array.from(document.querySelectorAll("h2"), ({ textContent }) => textContent);
    assert.deepEqual(headings, ["Search: 4 trials, 2 to their end, 1 lost"]);
    assert.ok(document.body.textContent!.includes(`The best is trial 2: start: ${HOSTILE}.`));
    await Deno.writeTextFile(join(folder, "tune.json"), JSON.stringify({ ...older, trials: [{ trial: 0 }] }));
    await assert.rejects(writeReport(folder), {
      name: "UserError",
      message: /^Cannot read the tuning ".*tune\.json" as it is damaged: trials\[0\]\.configuration is missing, /,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

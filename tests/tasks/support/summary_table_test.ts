import assert from "node:assert/strict";
import { join } from "node:path";
import { labelScores } from "../../../core/evaluate/metrics/class_scores.ts";
import type { RunSummary } from "../../../core/distill/summary/summary.ts";
import { stylesOf } from "../../../tasks/support/output.ts";
import { showSummary } from "../../../tasks/support/summary_table.ts";
import { fakeOutput } from "../../support/fake_output.ts";

const summary: RunSummary = {
  recipe: "quickstart",
  run: "test",
  version: "0.1.0",
  backend: "cpu",
  device: "WebAssembly SIMD",
  seed: 0,
  examples: { train: 7200, validation: 800, test: 2000 },
  labelled: { train: 7200, validation: 800, test: 2000 },
  skipped: [],
  dataSha256: {},
  positiveClass: null,
  teacher: { accuracy: 0.9015, loss: 0.29314, metrics: { accuracy: 0.9015 }, classes: null, parameters: 272474 },
  student: {
    accuracy: 0.874,
    loss: 0.371,
    metrics: { accuracy: 0.874 },
    classes: null,
    spans: null,
    validationAccuracy: 0.88,
    trainMetrics: null,
    validationMetrics: { accuracy: 0.88 },
    parametersTraining: 76842,
    parametersInference: 19466,
    parameterIncreaseRate: 76842 / 19466,
  },
  merge: { maxAbsLogitDifference: 3.84e-6, tolerance: 1e-3, probe: 256 },
  seconds: { load: 0.91, train: 62.04, total: 66 },
  steps: 285,
  epochs: 5,
  peakBytes: 1,
  precision: "f32",
  lossScale: null,
  losses: {},
  lossMetrics: {},
  norms: {},
  studentSha256: "",
  studentBytes: 0,
};
const plain = stylesOf(fakeOutput());
const folder = join("runs", "quickstart");

Deno.test("the closing table says what came out, what it cost and where it is", () => {
  assert.deepEqual(showSummary(summary, folder, plain), [
    "quickstart               teacher  student",
    "test accuracy            90.15 %  87.40 %",
    "test loss                 0.2931   0.3710",
    "parameters in training         -   76,842",
    "parameters at inference  272,474   19,466",
    "parameter increase rate        -     3.95",
    "",
    "logit difference  3.8e-6 between factored and merged student on 256 test examples (tolerance 1.0e-3)",
    "examples          7,200 training, 800 validation, 2,000 test",
    "seconds           load 0.9, train 62.0, total 66.0",
    `student           ${join(folder, "student", "{config.json,model.safetensors}")}`,
    `record            ${join(folder, "{metrics.json,metrics.jsonl,recipe.yaml}")}`,
  ]);
});

Deno.test("the page that was drawn is named", () => {
  assert.equal(showSummary(summary, folder, plain, "run/report.html").at(-1), "report            run/report.html");
});

Deno.test("examples that were skipped are counted", () => {
  const skipped = [3, 1200].map((count) => ({ file: "a.tsv", count, first: ["line 2: its text is empty"] }));
  const lines = showSummary({ ...summary, skipped }, folder, plain);
  assert.ok(
    lines.includes("examples          7,200 training, 800 validation, 2,000 test; 1,203 skipped"),
    lines.join("\n"),
  );
});

Deno.test("without a teacher there is no column for one", () => {
  const [header, accuracy, , , inference] = showSummary({ ...summary, teacher: null }, folder, plain);
  assert.equal(header, "quickstart               student");
  assert.equal(accuracy, "test accuracy            87.40 %");
  assert.equal(inference, "parameters at inference   19,466");
});

Deno.test("F1 of a class names it, for the teacher as for the student", () => {
  const metrics = { accuracy: 0.9, f1: 0.8, matthews: 0.7, f1Macro: 0.6, f1Micro: 0.9 };
  const [taught, learnt] = [summary.teacher!, summary.student].map((model) => ({ ...model, metrics }));
  const both = { ...summary, positiveClass: "spam", teacher: taught, student: learnt } as RunSummary;
  const lines = showSummary(both, folder, plain);
  assert.equal(lines[2], "test f1 of spam           0.8000   0.8000");
  assert.ok(!lines.join().includes("macro"));
});

Deno.test("on a terminal the header alone stands out", () => {
  const lines = showSummary(summary, folder, stylesOf(fakeOutput(80), false));
  assert.deepEqual(lines.map((line) => line.includes("\x1b[1m")), lines.map((_, index) => index === 0));
});

Deno.test("scores that stand for 0 / 0 are said", () => {
  const counts = { examples: 5, predicted: 0, correct: 0 };
  const student = { ...summary.student, classes: [labelScores("spam", counts)] };
  const lines = showSummary({ ...summary, student }, "runs/quickstart", plain);
  assert.ok(
    lines.some((line) => /^scores +spam: nothing is taken for it, so its precision, 0 \/ 0, counts as 0$/.test(line)),
    lines.join("\n"),
  );
});

Deno.test("the table has what pruning and factors left", () => {
  const rows = (more: Partial<RunSummary>) =>
    showSummary({ ...summary, ...more }, folder, plain).filter((line) => /left|zero|factors|cut/.test(line))
      .map((line) => line.replaceAll(/\s+/g, " "));
  const pruned = { method: "magnitude", structure: "2:4", nonZeros: 34754, weights: {}, widths: {} };
  assert.deepEqual(rows({ pruning: pruned }), ["not zero, 2:4 by magnitude - 34,754"]);
  const widths = { a: [16, 4], b: [32, 32] } as const;
  assert.deepEqual(rows({ pruning: { ...pruned, structure: "channels", widths } }), [
    "channels left by magnitude - 36 of 48",
  ]);
  const weights = { a: { rank: 2, fullRank: 8, error: 0.25 }, b: { rank: 1, fullRank: 8, error: 0.5 } };
  assert.deepEqual(rows({ factors: { weights, maxAbsLogitDifference: 1 } }), [
    "weights kept as factors - 2",
    "largest error of a cut - 50.0 %",
  ]);
});

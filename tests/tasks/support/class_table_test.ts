import assert from "node:assert/strict";
import { labelScores } from "../../../core/evaluate/metrics/class_scores.ts";
import { type ModelReport, showModelReport } from "../../../tasks/support/class_table.ts";
import { stylesOf } from "../../../tasks/support/output.ts";
import { fakeOutput } from "../../support/fake_output.ts";

const plain = stylesOf(fakeOutput());
const report: ModelReport = {
  model: "run/student",
  architecture: "resnet",
  recipe: "run/recipe.yaml",
  split: "test",
  backend: "cpu",
  examples: 5,
  labelled: 5,
  positiveClass: null,
  metrics: {
    accuracy: 0.6,
    f1Macro: 0.375,
    f1Micro: 0.6,
    precisionMacro: 0.375,
    precisionMicro: 0.6,
    recallMacro: 0.375,
    recallMicro: 0.6,
  },
  loss: 1.23456,
  classes: [
    { ...labelScores("cat", { examples: 4, predicted: 4, correct: 3 }), accuracy: 0.75 },
    { ...labelScores("ankle boot", { examples: 1, predicted: 1, correct: 0 }), accuracy: 0 },
    { ...labelScores("bag", { examples: 0, predicted: 0, correct: 0 }), accuracy: null },
  ],
  confusion: [[3, 1, 0], [1, 0, 0], [0, 0, 0]],
  spans: null,
  notes: [],
};

Deno.test("a model's report has totals, and a row of the confusion matrix for each class", () => {
  const notes = ["bag: nothing is of it or taken for it, so it has no scores and is left out of the means"];
  assert.deepEqual(showModelReport({ ...report, notes }, plain), [
    "model     run/student (resnet)",
    "data      5 test examples of run/recipe.yaml",
    "accuracy  60.00 %",
    "loss      1.2346",
    "",
    "class              examples  precision  recall      f1  0  1  2  (taken for)",
    "    0  cat                4     0.7500  0.7500  0.7500  3  1  0",
    "    1  ankle boot         1     0.0000  0.0000  0.0000  1  0  0",
    "    2  bag                0          -       -       -  0  0  0",
    "       macro                    0.3750  0.3750  0.3750",
    "       micro                    0.6000  0.6000  0.6000",
    "",
    "bag: nothing is of it or taken for it, so it has no scores and is left out of the means",
  ]);
});

Deno.test("F1 names its class, and spans have a row for each type", () => {
  const spans = [{ type: "PER", spans: 1200, predicted: 600, precision: 0.5, recall: 0.25, f1: 1 / 3 }];
  const measured = { ...report, positiveClass: "cat", metrics: { f1: 0.75 }, classes: null, confusion: null, spans };
  assert.deepEqual(showModelReport(measured, plain).slice(2), [
    "f1 of cat  0.7500",
    "loss       1.2346",
    "",
    "spans of  number  precision  recall      f1",
    "PER        1,200     0.5000  0.2500  0.3333",
  ]);
});

Deno.test("with many classes the most frequent mistakes stand for the matrix", () => {
  const classes = Array.from(
    { length: 30 },
    (_, i) => ({ ...labelScores(`c${i}`, { examples: 10, predicted: 10, correct: 5 }), accuracy: 0.5 }),
  );
  const confusion = classes.map((_, i) => classes.map((_, j) => i === j ? 5 : j === (i + 1) % 30 ? i : 0));
  const lines = showModelReport({ ...report, classes, confusion }, plain);
  const start = lines.indexOf("most frequent mistakes");
  assert.deepEqual(lines.slice(start + 1, start + 3), ["29  c29 taken for c0", "28  c28 taken for c29"]);
  assert.equal(lines.length, start + 11);
  assert.ok(!lines.join().includes("taken for)"));
});

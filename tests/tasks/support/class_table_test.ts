import assert from "node:assert/strict";
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
  metrics: { accuracy: 0.6 },
  loss: 1.23456,
  classes: [
    { label: "cat", examples: 4, accuracy: 0.75 },
    { label: "ankle boot", examples: 1, accuracy: 0 },
    { label: "bag", examples: 0, accuracy: null },
  ],
  confusion: [[3, 1, 0], [1, 0, 0], [0, 0, 0]],
};

Deno.test("a model's report has totals, and a row of the confusion matrix for each class", () => {
  assert.deepEqual(showModelReport(report, plain), [
    "model     run/student (resnet)",
    "data      5 test examples of run/recipe.yaml",
    "accuracy  60.00 %",
    "loss      1.2346",
    "",
    "class              examples  accuracy  0  1  2  (taken for)",
    "    0  cat                4   75.00 %  3  1  0",
    "    1  ankle boot         1    0.00 %  1  0  0",
    "    2  bag                0         -  0  0  0",
  ]);
});

Deno.test("with many classes the most frequent mistakes stand for the matrix", () => {
  const classes = Array.from({ length: 30 }, (_, i) => ({ label: `c${i}`, examples: 10, accuracy: 0.5 }));
  const confusion = classes.map((_, i) => classes.map((_, j) => i === j ? 5 : j === (i + 1) % 30 ? i : 0));
  const lines = showModelReport({ ...report, classes, confusion }, plain);
  const start = lines.indexOf("most frequent mistakes");
  assert.deepEqual(lines.slice(start + 1, start + 3), ["29  c29 taken for c0", "28  c28 taken for c29"]);
  assert.equal(lines.length, start + 11);
  assert.ok(!lines.join().includes("taken for)"));
});

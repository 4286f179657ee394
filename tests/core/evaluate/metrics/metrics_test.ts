import assert from "node:assert/strict";
import { AVERAGES } from "../../../../core/evaluate/metrics/class_scores.ts";
import { metricNames, metricsOf, positiveClassOf } from "../../../../core/evaluate/metrics/metrics.ts";
import { showMetrics, shownMetrics } from "../../../../core/evaluate/metrics/show.ts";

const mail = { task: "classification", classes: ["ham", "spam"] } as const;
const three = { task: "classification", classes: ["0", "1", "2"] } as const;

/** Metrics of labels and what they were taken for. */
const measure = (data: typeof mail | typeof three, truth: number[], taken: number[], positive?: string | number) =>
  metricsOf(data, [{ data: Float32Array.from(truth), shape: [truth.length] }], [taken], positive);

Deno.test("f1 is that of the second of two classes, or of the one that is asked for, and says which", () => {
  // Of 100 messages 9 are spam: 7 found, 2 missed, 1 wrongly taken for it. Values by scikit-learn 1.9.1.
  const truth = Array.from({ length: 100 }, (_, i) => i < 9 ? 1 : 0);
  const taken = truth.map((label, i) => i < 2 ? 0 : i === 50 ? 1 : label);
  const spam = measure(mail, truth, taken);
  assert.equal(spam.positiveClass, "spam");
  assert.ok(Math.abs(spam.metrics.f1 - 0.8235294117647058) < 1e-12);
  const ham = measure(mail, truth, taken, "ham");
  assert.equal(ham.positiveClass, "ham");
  assert.ok(Math.abs(ham.metrics.f1 - 0.9836065573770492) < 1e-12);
  assert.deepEqual([spam.metrics.precision, spam.metrics.recall], [7 / 8, 7 / 9]);
  assert.deepEqual([ham.metrics.precision, ham.metrics.recall], [90 / 92, 90 / 91]);
  for (const { metrics } of [spam, ham]) {
    assert.ok(Math.abs(metrics.f1Macro - 0.9035679845708775) < 1e-12);
    assert.equal(metrics.f1Micro, 0.97);
    assert.ok(Math.abs(metrics.matthews - 0.8088701069535355) < 1e-12);
  }
  assert.equal(showMetrics(spam), "accuracy 97.00 %, f1 of spam 0.8235, matthews 0.8089");
  assert.equal(showMetrics(ham, ["f1Macro"]), "accuracy 97.00 %, f1 of ham 0.9836, matthews 0.8089, f1, macro 0.9036");
  assert.match(showMetrics({ ...ham, positiveClass: "h\nm" }), /, f1 of h\\nm 0\.9836, /);
  assert.deepEqual(shownMetrics(ham, Object.keys(ham.metrics)).map(([name]) => name), [
    ...["accuracy", "f1 of ham", "matthews", "precision of ham", "recall of ham"],
    ...["f1, macro", "f1, micro", "f1, weighted", "precision, macro", "precision, micro", "precision, weighted"],
    ...["recall, macro", "recall, micro", "recall, weighted"],
  ]);
});

Deno.test("of more classes there is an F1 where one is asked for, a number as YAML has it", () => {
  const plain = measure(three, [0, 1, 2, 2], [0, 1, 2, 1]);
  assert.deepEqual([plain.positiveClass, Object.keys(plain.metrics)], [null, ["accuracy", ...AVERAGES]]);
  const asked = measure(three, [0, 1, 2, 2], [0, 1, 2, 1], 2);
  assert.deepEqual([asked.positiveClass, asked.metrics.f1], ["2", 2 / 3]);
  assert.deepEqual(metricNames(three, 2), ["accuracy", "f1", "precision", "recall", ...AVERAGES]);
});

Deno.test("two classes with scores have an AUC, unless all examples are of one", () => {
  const both = (truth: number[]) =>
    metricsOf(mail, [{ data: Float32Array.from(truth), shape: [4] }], [[0, 0, 1, 1]], null, [[-2, 1, 1, 3]]).metrics;
  // Of four pairs three are in order, and one is equal.
  assert.equal(both([0, 0, 1, 1]).auc, 3.5 / 4);
  assert.equal("auc" in both([1, 1, 1, 1]), false);
  assert.equal(metricNames(mail).includes("auc"), true);
});

Deno.test("a class that the data set lacks, and one for another task, are refused", () => {
  assert.throws(() => positiveClassOf(mail, "Spam"), {
    name: "UserError",
    message: 'Unknown class "Spam": the data set has ham, spam',
  });
  assert.throws(() => positiveClassOf({ task: "regression", classes: [] }, "1"), {
    message: 'Cannot take the F1 of the class "1" in a regression: it is for a classification',
  });
});

Deno.test("F1 of spans is told for each type, and as the mean over types", () => {
  const classes = ["O", "S-A", "B-B", "E-B"];
  const truth = { data: Float32Array.of(1, 0, 2, 3, 1, -1), shape: [1, 6] };
  const { metrics, spans, positiveClass } = metricsOf({ task: "tagging", classes }, [truth], [[1, 0, 2, 0, 0, 0]]);
  assert.equal(positiveClass, null);
  assert.deepEqual(spans!.map(({ type, spans, f1 }) => [type, spans, f1]), [["A", 2, 2 / 3], ["B", 1, 0]]);
  const { f1, accuracy, f1Macro, f1Micro, precision, recall } = metrics;
  assert.deepEqual([f1, accuracy, f1Macro, f1Micro, precision, recall], [2 / 5, 3 / 5, 1 / 3, 2 / 5, 1 / 2, 1 / 3]);
});

import assert from "node:assert/strict";
import { accuracyOf, confusionOf, f1Of, matthewsOf } from "../../../../core/evaluate/metrics/confusion.ts";

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`);

Deno.test("a confusion matrix leaves out what is not scored", () => {
  assert.deepEqual(confusionOf([0, 1, -1, 1], [0, 0, 1, 1], 2), [[1, 0], [1, 1]]);
});

Deno.test("accuracy, F1 and Matthews' coefficient of two classes", () => {
  // TN 5, FP 2, FN 1, TP 4.
  const confusion = [[5, 2], [1, 4]];
  near(accuracyOf(confusion), 9 / 12);
  near(f1Of(confusion), 8 / 11);
  near(matthewsOf(confusion), (4 * 5 - 2 * 1) / Math.sqrt(6 * 5 * 7 * 6));
});

Deno.test("F1 of more classes is the mean over them", () => {
  near(f1Of([[2, 0, 0], [0, 1, 1], [0, 0, 0]]), (1 + 2 / 3 + 0) / 3);
});

Deno.test("Matthews' coefficient is 1 when all is right, -1 when two classes are swapped, 0 for one answer", () => {
  near(matthewsOf([[3, 0, 0], [0, 4, 0], [0, 0, 5]]), 1);
  near(matthewsOf([[0, 3], [4, 0]]), -1);
  near(matthewsOf([[3, 0], [4, 0]]), 0);
});

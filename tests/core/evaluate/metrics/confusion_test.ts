import assert from "node:assert/strict";
import { accuracyOf, confusionOf, countsOf, matthewsOf } from "../../../../core/evaluate/metrics/confusion.ts";

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`);

Deno.test("a confusion matrix leaves out what is not scored", () => {
  assert.deepEqual(confusionOf([0, 1, -1, 1], [0, 0, 1, 1], 2), [[1, 0], [1, 1]]);
});

Deno.test("accuracy and Matthews' coefficient of two classes", () => {
  // TN 5, FP 2, FN 1, TP 4.
  const confusion = [[5, 2], [1, 4]];
  near(accuracyOf(confusion), 9 / 12);
  near(matthewsOf(confusion), (4 * 5 - 2 * 1) / Math.sqrt(6 * 5 * 7 * 6));
});

Deno.test("a class's counts are its row, its column and where they cross", () => {
  assert.deepEqual(countsOf([[5, 2, 0], [1, 4, 3], [0, 0, 0]]), [
    { examples: 7, predicted: 6, correct: 5 },
    { examples: 8, predicted: 6, correct: 4 },
    { examples: 0, predicted: 3, correct: 0 },
  ]);
});

Deno.test("Matthews' coefficient is 1 when all is right, -1 when two classes are swapped, 0 for one answer", () => {
  near(matthewsOf([[3, 0, 0], [0, 4, 0], [0, 0, 5]]), 1);
  near(matthewsOf([[0, 3], [4, 0]]), -1);
  near(matthewsOf([[3, 0], [4, 0]]), 0);
});

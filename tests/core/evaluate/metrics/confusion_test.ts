import assert from "node:assert/strict";
import {
  accuracyOf,
  classScores,
  confusionOf,
  f1Macro,
  f1Of,
  matthewsOf,
} from "../../../../core/evaluate/metrics/confusion.ts";

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`);

Deno.test("a confusion matrix leaves out what is not scored", () => {
  assert.deepEqual(confusionOf([0, 1, -1, 1], [0, 0, 1, 1], 2), [[1, 0], [1, 1]]);
});

Deno.test("accuracy, F1 and Matthews' coefficient of two classes", () => {
  // TN 5, FP 2, FN 1, TP 4.
  const confusion = [[5, 2], [1, 4]];
  near(accuracyOf(confusion), 9 / 12);
  near(f1Of(confusion, 1), 8 / 11);
  near(matthewsOf(confusion), (4 * 5 - 2 * 1) / Math.sqrt(6 * 5 * 7 * 6));
});

Deno.test("F1 of each class and their mean are scikit-learn's; a class that is nowhere does not count", () => {
  // scikit-learn 1.9.1: f1_score(average=None), then average="macro"; its 0 for no prediction.
  const cases: [confusion: number[][], own: (number | null)[], macro: number][] = [
    [[[5, 2], [1, 4]], [0.7692307692307693, 0.7272727272727273], 0.7482517482517483],
    [[[90, 1], [2, 7]], [0.9836065573770492, 0.8235294117647058], 0.9035679845708775],
    [
      [[7, 2, 1, 0], [0, 3, 3, 0], [2, 0, 9, 0], [0, 0, 0, 0]],
      [0.7368421052631579, 0.5454545454545454, 0.75, null],
      0.6774322169059012,
    ],
    [[[2, 0, 0], [0, 1, 1], [0, 0, 0]], [1, 0.6666666666666666, 0], 0.5555555555555555],
  ];
  for (const [confusion, own, macro] of cases) {
    own.forEach((value, label) => {
      const scores = classScores(confusion)[label];
      if (value === null) assert.equal(scores, null);
      else near(scores!.f1, value);
      near(f1Of(confusion, label), value ?? 0);
    });
    near(f1Macro(confusion), macro);
  }
  const scores = classScores(cases[2][0]);
  near(scores[2]!.precision, 0.6923076923076923);
  near(scores[2]!.recall, 0.8181818181818182);
});

Deno.test("Matthews' coefficient is 1 when all is right, -1 when two classes are swapped, 0 for one answer", () => {
  near(matthewsOf([[3, 0, 0], [0, 4, 0], [0, 0, 5]]), 1);
  near(matthewsOf([[0, 3], [4, 0]]), -1);
  near(matthewsOf([[3, 0], [4, 0]]), 0);
});

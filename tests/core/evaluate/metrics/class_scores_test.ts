import assert from "node:assert/strict";
import { areaUnderRoc } from "../../../../core/evaluate/metrics/auc.ts";
import { averagesOf, emptyScoreNotes, labelScores } from "../../../../core/evaluate/metrics/class_scores.ts";
import { confusionOf, countsOf } from "../../../../core/evaluate/metrics/confusion.ts";
import golden from "../../../golden/classes.json" with { type: "json" };
import { assertClose } from "../../../support/numbers.ts";

Deno.test("precision, recall and F1 of each class and their means are scikit-learn's", () => {
  for (const { classes, truth, taken, support, averages, ...scores } of golden.scored) {
    const counts = countsOf(confusionOf(truth, taken, classes));
    const own = counts.map((one, label) => labelScores(String(label), one));
    assert.deepEqual(own.map(({ examples }) => examples), support);
    for (const [name, expected] of Object.entries(scores)) {
      assertClose(own.map((one) => one[name as "f1"] ?? 0), expected, 1e-12);
    }
    const means = averagesOf(counts);
    assert.deepEqual(Object.keys(means).toSorted(), Object.keys(averages).toSorted());
    for (const [name, expected] of Object.entries(averages)) {
      assertClose([means[name as "f1Macro"]], [expected], 1e-12);
    }
  }
});

Deno.test("the area under the ROC curve is scikit-learn's, also with many equal scores", () => {
  for (const { scores, truth, auc } of golden.ranked) {
    assertClose([areaUnderRoc(scores, truth.map((one) => one === 1))!], [auc], 1e-12);
    // The other class has the opposite scores.
    assertClose([areaUnderRoc(scores.map((score) => -score), truth.map((one) => one === 0))!], [auc], 1e-12);
  }
});

Deno.test("where all examples are of one class there is no area under a curve", () => {
  assert.equal(areaUnderRoc([1, 2], [true, true]), null);
  assert.equal(areaUnderRoc([1, 2], [false, false]), null);
});

Deno.test("scores that stand for 0 / 0 are said, with the classes that have them", () => {
  const counts = countsOf(confusionOf([0, 0, 1, 2], [0, 3, 0, 2], 6));
  const named = counts.map((one, label) => labelScores("abcdef"[label], one));
  assert.deepEqual(named.map(({ f1 }) => f1), [0.5, 0, 1, 0, null, null]);
  assert.deepEqual(emptyScoreNotes(named), [
    "b: nothing is taken for it, so its precision, 0 / 0, counts as 0",
    "d: nothing is of it, so its recall, 0 / 0, counts as 0",
    "e, f: nothing is of them or taken for them, so they have no scores and are left out of the means",
  ]);
  assert.deepEqual(emptyScoreNotes(named.slice(0, 1)), []);
  assert.deepEqual(averagesOf([]).f1Macro, 0);
});

Deno.test("names of classes cannot end a sentence's line", () => {
  const [note] = emptyScoreNotes([{ label: "a\nb", examples: 1, predicted: 0, correct: 0 }]);
  assert.match(note, /^a\\nb: nothing is taken for it/);
});

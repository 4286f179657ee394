import assert from "node:assert/strict";
import { type Best, type Monitor, monitorOf, updateBest } from "../../../../core/distill/training/monitor.ts";
import { textData } from "../../../support/inputs.ts";

/** The best after each epoch of a scripted metric. */
const follow = (monitor: Monitor, values: readonly number[], minDelta = 0) =>
  values.reduce<Best[]>(
    (seen, value, i) => [...seen, updateBest(seen.at(-1) ?? null, monitor, value, i + 1, minDelta)],
    [],
  );

Deno.test("the best epoch of an accuracy is the highest, of a loss the lowest, the first of equals", () => {
  assert.deepEqual(follow("accuracy", [0.5, 0.7, 0.7, 0.6]).at(-1), { value: 0.7, epoch: 2, waited: 2 });
  assert.deepEqual(follow("loss", [0.5, 0.3, 0.3, 0.4]).at(-1), { value: 0.3, epoch: 2, waited: 2 });
});

Deno.test("an improvement below minDelta is none", () => {
  assert.deepEqual(follow("loss", [1, 0.95, 0.8], 0.1).map(({ epoch }) => epoch), [1, 1, 3]);
});

Deno.test("a first epoch without a finite value does not stay the best", () => {
  assert.equal(follow("loss", [NaN, 2]).at(-1)!.epoch, 2);
});

Deno.test("without a wish training goes by the task's first metric; one that the task lacks is refused", () => {
  const two = textData(["ham", "spam"]);
  assert.equal(monitorOf(null, two), "accuracy");
  assert.equal(monitorOf(null, textData([], {}, "regression")), "pearson");
  assert.equal(monitorOf("validation.f1", two), "f1");
  assert.equal(monitorOf("validation.loss", two), "loss");
  assert.equal(monitorOf("validation.f1", textData(["a", "b", "c"]), "c"), "f1");
  assert.equal(monitorOf("validation.f1Macro", textData(["a", "b", "c"])), "f1Macro");
  assert.throws(() => monitorOf("validation.f1", textData(["a", "b", "c"])), {
    name: "UserError",
    message: "Cannot go by validation.f1 in a classification of 3 classes: it has validation.accuracy, " +
      "validation.f1Macro, validation.f1Micro, validation.loss",
  });
});

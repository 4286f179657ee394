import assert from "node:assert/strict";
import type { Evaluation } from "../../../../core/evaluate/evaluate.ts";
import { AVERAGES } from "../../../../core/evaluate/metrics/class_scores.ts";
import { silent } from "../../../../core/distill/progress.ts";
import {
  type Best,
  type Monitor,
  monitored,
  monitorOf,
  updateBest,
} from "../../../../core/distill/training/monitor.ts";
import { metricNames } from "../../../../core/evaluate/metrics/metrics.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { tinyRecipe, tinyRun, withTinyData, writeTinyData } from "../../../support/tiny_run.ts";
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
  const alone = { validation: null, taught: false };
  assert.equal(monitorOf(null, two, alone), "accuracy");
  assert.equal(monitorOf(null, textData([], {}, "regression"), alone), "pearson");
  assert.equal(monitorOf("validation.f1", two, alone), "f1");
  assert.equal(monitorOf("validation.loss", two, alone), "loss");
  assert.equal(monitorOf("validation.f1", textData(["a", "b", "c"]), alone, "c"), "f1");
  assert.equal(monitorOf("validation.f1Macro", textData(["a", "b", "c"]), alone), "f1Macro");
  assert.throws(() => monitorOf("validation.f1", textData(["a", "b", "c"]), alone), {
    name: "UserError",
    message: "Cannot go by validation.f1 in a classification of 3 classes: it has validation.accuracy, " +
      [...AVERAGES, "loss"].map((name) => `validation.${name}`).join(", "),
  });
});

Deno.test("a recipe can name every metric that a task has", () => {
  const tasks = ["classification", "regression", "multi-label", "tagging"] as const;
  const names = tasks.flatMap((task) => [
    ...metricNames(textData(["a", "b"], {}, task)),
    ...metricNames(textData(["O", "B-a", "I-a"], {}, task)),
  ]);
  for (const name of new Set([...names, "loss", "agreement"])) {
    const { value } = parseChecked(`${tinyRecipe}`, "recipe.yaml", recipeSchema, {
      overrides: [{ path: ["train", "monitor"], value: `validation.${name}`, label: "--set" }],
    });
    assert.equal(value.train.monitor, `validation.${name}`);
  }
});

Deno.test("a metric that the validation examples do not have ends the run, and is not taken for one that never improves", () => {
  const result = { metrics: { accuracy: 1 }, loss: 0.5 } as unknown as Evaluation;
  assert.deepEqual([monitored("accuracy", result), monitored("loss", result)], [1, 0.5]);
  assert.throws(() => monitored("auc", result), {
    name: "UserError",
    message: "Cannot go by validation.auc as all validation examples are of one class: take another split, or metric",
  });
});

Deno.test("the area under the curve of validation examples of one class is refused before training", () => {
  const two = textData(["ham", "spam"]);
  const watched = (...labels: number[]) => {
    return { validation: { length: 3, labels: Int32Array.from(labels), batch: () => ({}) }, taught: false };
  };
  assert.equal(monitorOf("validation.auc", two, watched(0, 1, -1)), "auc");
  assert.equal(monitorOf("validation.f1", two, watched(1, 1, 1)), "f1");
  for (const lacking of [watched(1, 1, 1), watched(-1, 0, 0)]) {
    assert.throws(() => monitorOf("validation.auc", two, lacking), {
      name: "UserError",
      message: "Cannot go by validation.auc as all validation examples are of one class: take another split, or metric",
    });
  }
});

Deno.test("such a run is refused at the recipe's line, with no step done", () =>
  withTinyData(async (folder) => {
    await writeTinyData(folder, 96, 24, { label: () => 1 });
    const progress = () => assert.fail("a step was done");
    const run = tinyRun(folder, {
      overrides: ["train.monitor=validation.auc", "train.logEvery=1"],
      reporter: { ...silent, progress },
    });
    await assert.rejects(run, {
      name: "UserError",
      message: /^--set train\.monitor=validation\.auc: Cannot go by validation\.auc as all/,
    });
  }));

Deno.test("where no validation example has a label, training goes by the agreement with the teacher", () => {
  const two = textData(["ham", "spam"]);
  const batch = () => ({});
  const bare = { length: 3, labels: null, labelled: Uint8Array.of(0, 0, 0), batch };
  const some = { ...bare, labelled: Uint8Array.of(0, 1, 0) };
  assert.equal(monitorOf(null, two, { validation: bare, taught: true }), "agreement");
  assert.equal(monitorOf(null, two, { validation: some, taught: true }), "accuracy");
  assert.equal(monitorOf("validation.agreement", two, { validation: some, taught: true }), "agreement");
  const refused = (...[monitor, data, watched]: Parameters<typeof monitorOf>) => {
    try {
      return monitorOf(monitor, data, watched);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(
    refused("validation.accuracy", two, { validation: bare, taught: true }),
    "Cannot go by validation.accuracy as none of the 3 validation examples has a label: it has validation.agreement",
  );
  assert.equal(
    refused(null, two, { validation: bare, taught: false }),
    "Cannot go by any metric as none of the 3 validation examples has a label: there is no teacher to agree " +
      "with either; validation: null",
  );
  const tags = textData(["O", "B-a"], {}, "tagging");
  assert.match(
    refused("validation.agreement", tags, { validation: null, taught: true }),
    /^Cannot go by validation.agree/,
  );
  assert.match(
    refused("validation.agreement", two, { validation: null, taught: false }),
    /^Cannot go by validation.agree/,
  );
});

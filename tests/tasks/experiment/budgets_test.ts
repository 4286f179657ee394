import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { learningRateAt } from "../../../core/nn/schedules.ts";
import { budgetsOf, parseBudget } from "../../../tasks/experiment/budgets.ts";
import { lengthened } from "../../../tasks/experiment/lengthen.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

Deno.test("budgets are multiples of epochs or times, from the shortest to the longest", () => {
  assert.deepEqual(parseBudget(" 0.5x "), { name: "0.5x", of: "epochs", amount: 0.5 });
  assert.deepEqual(["60s", "5m", "2h", "1h30m"].map((text) => parseBudget(text).amount), [60, 300, 7200, 5400]);
  assert.deepEqual(budgetsOf(["16x", "1x", "4x"]).map(({ name }) => name), ["1x", "4x", "16x"]);
  assert.deepEqual(budgetsOf(["2m", "90s"]).map(({ name }) => name), ["90s", "2m"]);
});

Deno.test("what is no budget is refused, and so are two that are the same or of two kinds", () => {
  for (
    const text of [
      "",
      "4",
      "x",
      "4X",
      "-1x",
      "0x",
      "0s",
      "1e3x",
      "Infinityx",
      "4 x",
      "10000001s",
      "10000001x",
      "1x30m",
      "1.x",
    ]
  ) {
    assert.throws(() => parseBudget(text), {
      name: "SyntaxError",
      message:
        `Expected a multiple of the recipe's epochs as 4x, or a time as 90s, 30m or 1h30m, above 0 and up to 10000000: got ${
          JSON.stringify(text)
        }`,
    });
  }
  assert.throws(() => budgetsOf(["60s", "1m"]), /Expected budgets that differ: got 60s and 1m$/);
  assert.throws(() => budgetsOf(["1x", "1.0x"]), /Expected budgets that differ: got 1x and 1\.0x$/);
  assert.throws(() => budgetsOf(["1x", "60s"]), /Expected budgets of epochs or of seconds: got 1x and 60s/);
});

const recipe = (overrides: readonly string[]) => parseChecked(tinyRecipe, "tiny.yaml", recipeSchema, { overrides });
const longer = (epochs: number, overrides: readonly string[]) =>
  recipe([...overrides]).value.train.epochs === epochs ? recipe(overrides).value : parseChecked(
    tinyRecipe,
    "tiny.yaml",
    recipeSchema,
    { overrides: [...overrides, ...lengthened(recipe(overrides).value, epochs, "test")] },
  ).value;

Deno.test("a longer training has its schedules over its own length", () => {
  const settings = [
    "train.schedule={ use: steps, milestones: [2, 4], warmupEpochs: 0.5 }",
    "train.earlyStopping={ patience: 2 }",
    "losses=[{ use: cross-entropy, weight: { from: 1, to: 0, epochs: 3 } }, " +
    "{ use: kd, temperature: { from: 8, to: 2, steps: 10 }, weight: { from: 0, to: 1 } }, " +
    "{ use: kernel-transfer, warmUpEpochs: 2 }]",
    "train.theseus={ replacingRate: { from: 0.3, to: 1, epochs: 2.5 } }",
  ];
  const { train, losses } = longer(20, settings);
  assert.equal(train.epochs, 20);
  assert.deepEqual(train.schedule, {
    ...{ use: "steps", milestones: [8, 16], factor: 0.1, warmupSteps: 0, warmupEpochs: 2 },
  });
  assert.equal(train.earlyStopping!.patience, 8);
  assert.equal(losses[2].warmUpEpochs, 8);
  // As if its default of 5 stood there.
  assert.equal(longer(20, ["losses=[{ use: kernel-transfer }]"]).losses[0].warmUpEpochs, 20);
  assert.deepEqual(losses.slice(0, 2).map(({ weight }) => weight), [
    { from: 1, to: 0, schedule: "linear", epochs: 12, steps: null },
    { from: 0, to: 1, schedule: "linear", epochs: null, steps: null },
  ]);
  assert.deepEqual(losses[1].temperature, { from: 8, to: 2, steps: 40 });
  assert.deepEqual(train.theseus!.replacingRate, { from: 0.3, to: 1, schedule: "linear", epochs: 10, steps: null });
  assert.equal(longer(10, ["train.schedule={ use: linear, warmupSteps: 7 }"]).train.schedule.warmupSteps, 14);
  assert.deepEqual(longer(5, settings), recipe(settings).value);
});

Deno.test("the learning rate of a longer training is that of the short one, stretched", () => {
  const perEpoch = 10;
  for (
    const schedule of [
      "{ use: cosine, warmupEpochs: 1 }",
      "{ use: linear, final: 0.1 }",
      "{ use: steps, milestones: [3] }",
    ]
  ) {
    const [short, long] = [5, 20].map((epochs) => longer(epochs, [`train.schedule=${schedule}`]).train);
    const rate = ({ schedule, epochs }: typeof short, part: number) =>
      learningRateAt(schedule, Math.round(part * epochs * perEpoch), epochs * perEpoch, perEpoch);
    for (const part of [0.3, 0.5, 0.7, 0.9]) {
      assert.ok(Math.abs(rate(short, part) - rate(long, part)) < 0.05, `${schedule} at ${part}`);
    }
    assert.ok(rate(long, 0.999) < 0.2, `${schedule} comes to its end`);
  }
});

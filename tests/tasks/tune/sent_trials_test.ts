import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { endingOf } from "../../../tasks/support/errors.ts";
import { SentTrials, type TrialExecutor } from "../../../tasks/tune/sent_trials.ts";
import { type Configuration, Space } from "../../../tasks/tune/space.ts";
import type { RecipeOf } from "../../../tasks/tune/trial_record.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await body(folder).finally(() => Deno.remove(folder, { recursive: true }));
}

const recipe: RecipeOf = ({ rate = 0.05 }, seed, output, resource = 1) =>
  parseChecked(tinyRecipe, "tiny.yaml", recipeSchema, {
    overrides: [
      ...[`seed=${seed}`, `output=${output}`, `train.optimiser.learningRate=${rate}`],
      `train.epochs=${5 * resource}`,
    ],
  });

/** Trials sent to somebody who answers by the epochs, and takes ten seconds for it. */
async function sentTo(
  folder: string,
  answer: (epochs: number) => Awaited<ReturnType<TrialExecutor["trial"]>>,
  isKept = true,
  recipeOf: RecipeOf = recipe,
) {
  const [asked, warnings]: string[][] = [[], []];
  let now = 100;
  const executor: TrialExecutor = {
    trial({ recipe, title }, own) {
      const { epochs } = recipe.value.train;
      asked.push(`${title}: ${epochs}${own ? " (own)" : ""}`);
      now += 10;
      return Promise.resolve(answer(epochs));
    },
    fetchTrial: () => Promise.resolve(isKept),
    workers: () => Promise.resolve(3),
  };
  const trials = await SentTrials.open({
    ...{ folder: join(folder, "runs"), recipe: recipeOf, executor, clock: () => now, used: 5 },
    expected: { opening: 1, epoch: 2 },
    warn: (text) => void warnings.push(text),
  });
  return { trials, asked, warnings };
}

const trained = (score: number) => ({ trained: { score, metric: "f1" }, lost: null });

Deno.test("what others have trained is known again, with the wall time that is gone; what was lost stays lost", () =>
  inTemporaryFolder(async (folder) => {
    const { trials, asked } = await sentTo(folder, (epochs) => trained(epochs / 10));
    const own = trials.with(3);
    assert.deepEqual([own.workers!(), own.used(), own.seconds({}, 1)], [3, 5, 11]);
    assert.deepEqual(await own.evaluate({}, 0.4), { score: 0.2 });
    assert.deepEqual(await own.evaluate({ rate: 0.1 }, 1), { score: 0.5 });
    assert.deepEqual([trials.metric, trials.used], ["f1", 25]);
    assert.deepEqual(asked, ["the recipe as it is, seed 3, 1/3 of its length: 2 (own)", "rate: 0.1, seed 3: 5"]);
    const failing = await sentTo(folder, () => ({ trained: null, lost: "its loss is not finite" }));
    assert.deepEqual(await failing.trials.with(3).evaluate({ rate: 9 }, 1), { lost: "its loss is not finite" });

    const again = await sentTo(folder, () => assert.fail());
    assert.equal(again.trials.used, 35, "25 s and then 10");
    const { seconds, evaluate } = again.trials.with(3);
    assert.deepEqual([seconds({}, 0.4), seconds({ rate: 0.1 }, 1), seconds({ rate: 9 }, 1)], [0, 0, 0]);
    assert.ok(seconds({}, 1) > 0 && again.trials.with(4).seconds({}, 0.4) > 0);
    assert.deepEqual(await evaluate({}, 0.4), { score: 0.2 });
    assert.deepEqual(await evaluate({ rate: 9 }, 1), { lost: "its loss is not finite" });
    assert.equal(again.trials.metric, "f1");
  }));

Deno.test("what others gave up costs the trial, and is asked again another time; of the recipe as it is it ends all", () =>
  inTemporaryFolder(async (folder) => {
    const told = "given up after 3 tries: the disk is full";
    const { trials } = await sentTo(folder, () => ({ told, ofRecipe: false }));
    assert.deepEqual(await trials.with(3).evaluate({ rate: 1 }, 1), { lost: told, givenUp: true });
    /** How the program ends by the recipe as it is. */
    const ending = (given: typeof trials) =>
      given.with(3).evaluate({}, 1).then(() => assert.fail(), (error) => endingOf(error, false));
    assert.deepEqual(await ending(trials), {
      message: `Cannot tune "tiny": the recipe as it is was ${told}; the same command with --resume tries it again`,
      code: 1,
    });
    const wrong = await sentTo(folder, () => ({ told: "given up: tiny.yaml:3:1: no such file", ofRecipe: true }));
    assert.deepEqual(await ending(wrong.trials), {
      message: 'Cannot tune "tiny": the recipe as it is was given up: tiny.yaml:3:1: no such file',
      code: 2,
    });
    const again = await sentTo(folder, () => trained(0.7));
    assert.deepEqual(await again.trials.with(3).evaluate({ rate: 1 }, 1), { score: 0.7 });
  }));

Deno.test("what is known of a trial is not taken for another that an edited space calls the same", () =>
  inTemporaryFolder(async (folder) => {
    const space = (decay: number | null): Space =>
      new Space([{
        kind: "choice",
        name: "decay",
        own: "own",
        options: new Map(
          decay === null ? [] : [["much", [{
            path: ["train", "optimiser", "weightDecay"],
            value: decay,
            label: "much",
          }]]],
        ),
        off: null,
        unless: {},
      }]);
    const of = (decay: number | null): RecipeOf => (configuration, seed, output) =>
      parseChecked(tinyRecipe, "tiny.yaml", recipeSchema, {
        overrides: [`seed=${seed}`, `output=${output}`, ...space(decay).overrides(configuration)],
      });
    const evaluate = async (decay: number | null, score: number, configuration: Configuration) =>
      await (await sentTo(folder, () => trained(score), true, of(decay))).trials.with(3).evaluate(configuration, 1);
    assert.deepEqual(await evaluate(0.1, 0.7, { decay: "much" }), { score: 0.7 });
    assert.deepEqual(await evaluate(0.1, 0.8, { decay: "much" }), { score: 0.7 }, "known");
    assert.deepEqual(await evaluate(0.2, 0.9, { decay: "much" }), { score: 0.9 }, "another decay");
    assert.deepEqual(await evaluate(null, 0.6, {}), { score: 0.6 }, "without that option");
  }));

Deno.test("a best run whose checkpoint the store has lost is trained anew here, and that is told", () =>
  inTemporaryFolder(async (folder) => {
    const there = await sentTo(folder, () => trained(0.7));
    await there.trials.folderOf({}, 3);
    assert.deepEqual(there.warnings, []);
    const lost = await sentTo(folder, () => trained(0.7), false);
    await lost.trials.folderOf({}, 3);
    assert.deepEqual(lost.warnings, [
      "the store has no checkpoint of the best trial any more: it is trained anew on this machine, beyond the budget, " +
      "which takes about 11s",
    ]);
  }));

import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { CHECKPOINT_FILE } from "../../../core/distill/training/checkpoint.ts";
import { mergeCheckpoint } from "../../../core/distill/merge_checkpoint.ts";
import { readRecipe } from "../../../core/recipe/recipe.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { taughtTexts, textRecipe, withTextTeacher } from "../../support/tiny_texts.ts";
import { tinyRun, withTinyData, writeTinyData } from "../../support/tiny_run.ts";

/** Merges a run's checkpoint by the recipe in its folder. */
async function merge(run: string, out: string, overrides: string[] = []) {
  const recipe = await readRecipe(join(run, "recipe.yaml"), { overrides });
  const backend = await CpuBackend.create();
  const merged = await mergeCheckpoint(recipe, join(run, CHECKPOINT_FILE), out, { backend, builtins });
  assert.equal(backend.memory().storages, 0, "nothing is left on the device");
  await backend.close();
  return merged;
}

const weights = (folder: string) => Deno.readFile(join(folder, "model.safetensors"));

Deno.test("the checkpoint after the last epoch merges to the student of the run, byte for byte", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run"), out = join(folder, "merged");
    const { steps, student } = await tinyRun(folder, { overrides: ["train.epochs=2"] });
    assert.deepEqual(await merge(run, out), { step: steps, bestEpoch: null, parameters: student.parametersInference });
    assert.deepEqual(await weights(out), await weights(join(run, "student")));
    const config = (parent: string) => Deno.readTextFile(join(parent, "config.json"));
    assert.equal(await config(out), await config(join(run, "student")));
  }));

Deno.test("where the recipe restores the best epoch, its weights are merged", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run"), out = join(folder, "merged");
    // The classes are told apart perfectly before the end, and no later epoch is better than that.
    const { steps } = await tinyRun(folder, { overrides: ["train.restoreBest=true"] });
    const { bestEpoch, step } = await merge(run, out);
    assert.ok(bestEpoch !== null && bestEpoch < 5, `${bestEpoch}`);
    assert.equal(step, steps);
    assert.deepEqual(await weights(out), await weights(join(run, "student")));
  }));

Deno.test("weights of other learning rates, and frozen ones, are where training had them", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run"), out = join(folder, "merged");
    const rates = "train.layerRates=[{ layers: 'layer2*', scale: 2 }, { layers: [conv1*, 'layer3*.bn*'], scale: 0 }]";
    await tinyRun(folder, {
      overrides: ["train.epochs=1", rates, "student.overParameterise[0].layers='layer1*conv*'"],
    });
    await merge(run, out);
    assert.deepEqual(await weights(out), await weights(join(run, "student")));
  }));

Deno.test("another recipe's checkpoint is refused", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.epochs=1"] });
    await assert.rejects(() => merge(join(folder, "run"), join(folder, "merged"), ["seed=4"]), {
      name: "UserError",
      message: /^Cannot merge ".*state\.safetensors" as it was made by another recipe: seed differs; /,
    });
  }));

Deno.test("a student that has its teacher's tokenizer and order of classes has both after merging, too", () =>
  withTextTeacher(async (folder) => {
    const run = join(folder, "run"), out = join(folder, "merged");
    // Another vocabulary than the teacher's would be made of this.
    await Deno.writeTextFile(join(folder, "train.jsonl"), '\n{"text": "zebra", "label": "neutral"}', { append: true });
    const text = taughtTexts()
      .replace("dropout: 0,", "dropout: 0, initialise: { from: teacher, layers: first },");
    await tinyRun(folder, { text });
    await merge(run, out);
    for await (const { name, isFile } of Deno.readDir(join(run, "student"))) {
      if (!isFile || name === "README.md") continue;
      assert.deepEqual(await Deno.readFile(join(out, name)), await Deno.readFile(join(run, "student", name)), name);
    }
    const { labels } = JSON.parse(await Deno.readTextFile(join(out, "config.json")));
    assert.deepEqual(labels, ["neutral", "entailment", "contradiction"]);

    // So has one that starts from weights, without a teacher.
    const started = textRecipe(", classes: [neutral, entailment, contradiction]", "", 1)
      .replace("dropout: 0,", "dropout: 0, head: fresh, weights: teacher/student,");
    await tinyRun(folder, { text: started, output: "started" });
    await merge(join(folder, "started"), join(folder, "from"));
    const tokenizer = (parent: string) => Deno.readTextFile(join(folder, parent, "tokenizer.json"));
    assert.equal(await tokenizer("from"), await tokenizer("started/student"));
  }));

Deno.test("a checkpoint is not merged by other data, as these say what the classes are", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.epochs=1"] });
    await writeTinyData(folder, 96, 24, { label: (label) => 2 - label });
    await assert.rejects(() => merge(join(folder, "run"), join(folder, "merged")), {
      name: "UserError",
      message: /^Cannot merge ".*state\.safetensors" as train-labels has changed since: bring back what the run was /,
    });
  }));

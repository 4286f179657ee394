import assert from "node:assert/strict";
import { join } from "node:path";
import type { Subject } from "../../../core/assess/subject.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { firstIndices } from "../../../core/data/loader.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { carryOut } from "../../../tasks/assess/carry_out.ts";
import { withSubjects } from "../../../tasks/assess/open_subjects.ts";
import { kinOf, ownSplit } from "../../../tasks/assess/own_recipe.ts";
import { planOf } from "../../../tasks/assess/plan.ts";
import { tinyRecipe, tinyRun, withTinyData, writeTinyData } from "../../support/tiny_run.ts";

const USUAL = { set: [], steps: "2", restarts: "1" };
const recipe = (text: string, file = "a/tiny.yaml") => parseChecked(text, file, recipeSchema);
const other = (from: string | RegExp, to: string) => recipe(tinyRecipe.replace(from, to));

Deno.test("a model is judged by the division of its own run, and not at all on data that it may have been trained on", () => {
  const own = recipe(tinyRecipe);
  assert.deepEqual(ownSplit(null, own), { overrides: [], otherData: null, differs: null });
  assert.equal(ownSplit(recipe(tinyRecipe.replace("epochs: 5", "epochs: 6")), own).differs, null);
  const { overrides, differs, otherData } = ownSplit(other("seed: 3", "seed: 4"), own);
  assert.deepEqual([overrides.map(({ path, value }) => [path, value]), differs, otherData], [
    [[["seed"], 4]],
    "seed",
    null,
  ]);
  assert.equal(ownSplit(other("count: 24", "count: 12"), own).differs, "validation");
  assert.equal(ownSplit(recipe(`${tinyRecipe}subset: { fraction: 0.5 }`), own).differs, "subset");
  assert.equal(ownSplit(recipe(`${tinyRecipe}labelNoise: { fraction: 0.2 }`), own).differs, "labelNoise");
  const elsewhere = ownSplit(other("train-images", "others"), own);
  assert.match(
    elsewhere.otherData!,
    /^its run's recipe, "a\/tiny\.yaml", has other data than "a\/tiny\.yaml", so that /,
  );
  assert.notEqual(ownSplit(recipe(tinyRecipe, "b/tiny.yaml"), own).otherData, null);
  // Texts that are cut or numbered otherwise are the same texts.
  const texts = (maxLength: number) =>
    recipe(
      tinyRecipe.replace(
        /dataset:[^]*(?=student:)/,
        `dataset: { use: text-table, train: a, test: b, maxLength: ${maxLength} }\n`,
      ),
    );
  assert.equal(ownSplit(texts(16), texts(32)).otherData, null);
});

Deno.test("runs are kin where they differ in chains, losses and how fast they learn alone", () => {
  const key = (text: string) => kinOf(recipe(text))!.key;
  const own = key(tinyRecipe);
  const same = [/overParameterise: .*/, /name: tiny/, /learningRate: 0.05/, /cross-entropy/, /logEvery: 5/];
  const to = ["overParameterise: []", "name: plain", "learningRate: 0.1", "kd", "logEvery: 7"];
  same.forEach((from, at) => assert.equal(key(tinyRecipe.replace(from, to[at])), own, to[at]));
  for (
    const [from, to] of [["depth: 8", "depth: 14"], ["seed: 3", "seed: 4"], ["epochs: 5", "epochs: 4"], [
      "count: 24",
      "count: 12",
    ]]
  ) {
    assert.notEqual(key(tinyRecipe.replace(from, to)), own, to);
  }
  assert.notEqual(key(`${tinyRecipe}labelNoise: { fraction: 0.2 }`), own);
  assert.notEqual(key(tinyRecipe.replace("epochs: 5", "epochs: 5, theseus: { replacingRate: 0.5 }")), own);
  assert.deepEqual(kinOf(recipe(tinyRecipe))!.losses, ["cross-entropy"]);
  assert.equal(kinOf(null), null);
});

/** The pictures of examples, as texts. */
async function picturesOf(examples: Examples | null): Promise<Set<string>> {
  if (!examples) return new Set();
  const all = firstIndices(examples.length);
  await examples.fetch?.(all);
  const { data } = examples.batch(all).image;
  return new Set(Array.from({ length: examples.length }, (_, at) => data.slice(64 * at, 64 * at + 64).join()));
}

Deno.test("runs of other seeds are held against each other by the examples that each held out", () =>
  withTinyData(async (folder) => {
    const at = (name: string) => join(folder, name);
    const short = ["train.epochs=1"];
    await tinyRun(folder, { overrides: short });
    await tinyRun(folder, { output: "other", overrides: [...short, "seed=4"] });
    await Deno.mkdir(at("elsewhere"));
    await writeTinyData(at("elsewhere"));
    await tinyRun(at("elsewhere"), { overrides: short });
    const backend = await CpuBackend.create();
    const opened = async (paths: string[], body: (subjects: readonly Subject[]) => Promise<void>) => {
      const { folders } = await planOf(paths.map(at), USUAL);
      await withSubjects(folders, { ops: createOps(backend), builtins, tell: () => {} }, body);
    };
    const held: Set<string>[] = [];
    await opened(["other"], async ([{ validation }]) => void held.push(await picturesOf(validation)));
    await opened(["run", "other"], async ([first, second]) => {
      const [own, others, seen] = [
        await picturesOf(first.validation),
        await picturesOf(second.validation),
        await picturesOf(second.train),
      ];
      assert.deepEqual(others, held[0], "as alone");
      assert.notDeepEqual(own, others);
      assert.ok([...others].every((picture) => !seen.has(picture)), "it was trained on none of them");
      assert.ok([...own].some((picture) => seen.has(picture)), "and on some of the first's");
    });
    const plan = await planOf([at("run"), at("elsewhere/run")], { ...USUAL, only: "calibration,overfitting" });
    const { report } = await carryOut(plan, { backend, builtins, tell: () => {}, manifest: false });
    const [calibration, overfitting] = report.sections.map(({ result }) =>
      result as Record<string, Record<string, string>[]>
    );
    assert.match(
      calibration.subjects[1].reason,
      /^Cannot fit a temperature: its run's recipe, ".*elsewhere.*", has other data than /,
    );
    assert.equal(calibration.subjects[1].temperature, null);
    assert.deepEqual(overfitting.subjects.map(({ subject }) => subject), [at("run")]);
    assert.deepEqual(overfitting.unknown.map(({ subject }) => subject), [at("elsewhere/run")]);
    const far = await planOf([at("run")], { ...USUAL, only: "robustness", eps: "0,8" });
    await assert.rejects(carryOut(far, { backend, builtins, tell: () => {}, manifest: false }), {
      name: "UserError",
      message: "--eps 8: Expected at most 1, from black to white: of steps of a byte 8 is 8/255",
    });
    assert.equal(backend.memory().storages, 0);
    await backend.close();
  }));

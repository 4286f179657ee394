import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKPOINT_FILE } from "../../../core/distill/checkpoint.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { withOutputFolder } from "../../../tasks/experiment/output_folder.ts";
import { trainingRunner } from "../../../tasks/experiment/runner.ts";
import { recorder, stopAt, studentBytes } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const never = new AbortController().signal;

/** A run of the tiny recipe as the grid starts one, in the folder "run". */
async function run(folder: string, overrides: readonly string[] = [], signal = never) {
  const { reporter, lines } = recorder();
  const recipe = parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
    overrides: ["backend=cpu", "train.epochs=2", ...overrides, {
      path: ["output"],
      value: join(folder, "run"),
      label: "test",
    }],
  });
  const outcome = await trainingRunner({ ...reporter, end: () => {} }, signal)(recipe, "tiny");
  return { outcome, told: lines.at(-1)! };
}

const written = async (folder: string) => (await Deno.stat(join(folder, "run", "metrics.json"))).mtime!.getTime();

Deno.test("a finished run is not run again, a changed one is", () =>
  withTinyData(async (folder) => {
    const first = await run(folder);
    assert.match(first.told, /^tiny: validation accuracy [01]\.\d{4}, \d+\.\d s$/);
    const time = await written(folder);
    const again = await run(folder, ["base=."]);
    assert.match(again.told, /\(was done\)$/);
    assert.equal(await written(folder), time);
    assert.deepEqual(again.outcome, first.outcome);

    const changed = await run(folder, ["train.optimiser.learningRate=0.01"]);
    assert.doesNotMatch(changed.told, /was done/);
    assert.notDeepEqual(changed.outcome, first.outcome);
  }));

Deno.test("an interrupted run goes on from its checkpoint to the same student, and half of a run is not a whole one", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "whole", overrides: ["backend=cpu", "train.epochs=2"] });
    await run(folder, ["train.batchSize=24"]);
    // Another recipe in the same folder, stopped half way: neither run is done.
    await assert.rejects(run(folder, [], stopAt(6)), Interrupted);
    await assert.rejects(Deno.stat(join(folder, "run", "metrics.json")), Deno.errors.NotFound);
    assert.ok((await Deno.stat(join(folder, "run", CHECKPOINT_FILE))).isFile);

    const { outcome, told } = await run(folder);
    assert.ok("summary" in outcome && !told.includes("was done"));
    const log = (await Deno.readTextFile(join(folder, "run", "metrics.jsonl"))).trim().split("\n");
    assert.ok(log.length > 0 && log.every((line) => JSON.parse(line).step <= 10));
    assert.deepEqual(await studentBytes(folder), await studentBytes(folder, "whole"));
    assert.ok(outcome.summary.seconds.train > 0 && outcome.summary.seconds.total >= outcome.summary.seconds.train);
  }));

Deno.test("a training that fails is a result, and is not tried again", () =>
  withTinyData(async (folder) => {
    const { outcome } = await run(folder, ["train.optimiser.learningRate=1e30"]);
    assert.ok("failure" in outcome);
    assert.match(outcome.failure, /^Stopped at step \d+ as its loss is not finite/);
    const again = await run(folder, ["train.optimiser.learningRate=1e30"]);
    assert.deepEqual(again.outcome, outcome);
    assert.match(again.told, /\(was done\)$/);
  }));

Deno.test("an experiment's folder is its own", () =>
  withTinyData(async (folder) => {
    const at = join(folder, "results");
    const none = () => Promise.resolve();
    const refused = (where: string, name: string, message: RegExp) =>
      assert.rejects(withOutputFolder(where, name, none), { name: "UserError", message });
    await withOutputFolder(at, "a", () => refused(at, "a", /another process runs an experiment in it/));
    await withOutputFolder(at, "a", none);
    await refused(
      at,
      "b",
      /^Cannot write to ".*" as it holds the experiment "a", not "b": name another folder with --o/,
    );
    await refused(folder, "a", /as it holds files that no experiment wrote: name another folder with --output$/);
    await refused(join(folder, "train-images"), "a", /^Cannot make the folder ".*train-images": /);
  }));

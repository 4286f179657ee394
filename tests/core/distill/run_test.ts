import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { Run } from "../../../core/distill/run.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { CHECKPOINT_FILE } from "../../../core/distill/training/checkpoint.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { stopAt } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const readTiny = (folder: string, overrides: readonly string[] = [], output = "stepped") =>
  parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
    overrides: [{ path: ["output"], value: join(folder, output), label: "test" }, ...overrides],
  });

const studentOf = (folder: string, run: string) => Deno.readFile(join(folder, run, "student", "model.safetensors"));

Deno.test("a run driven step by step ends with the student that distill gives", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    {
      using run = await Run.open(readTiny(folder), { backend, builtins });
      assert.equal(run.steps, 0);
      const before = await run.evaluate("validation");
      while (!run.finished) await run.step();
      assert.equal(run.steps, 25); // 5 epochs of 72 examples in batches of 16
      assert.ok((await run.evaluate("validation")).loss! < before.loss!);
      await assert.rejects(run.step(), { name: "RangeError", message: /training is finished after 25/ });
      await run.train(); // nothing is left to be trained
      await run.export();
      assert.equal((await run.summary()).steps, 25);
    }
    assert.equal(backend.memory().bytes, 0, "a run that is disposed of holds nothing");
    await backend.close();
    const summary = await tinyRun(folder, { output: "whole" });
    assert.equal(summary.steps, 25);
    assert.deepEqual(await studentOf(folder, "stepped"), await studentOf(folder, "whole"));
  });
});

Deno.test("a run can be left at any step, and may be measured and exported there", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    {
      using run = await Run.open(readTiny(folder), { backend, builtins });
      for (let step = 0; step < 3; step++) await run.step();
      const now = await run.evaluate("test");
      const summary = await run.summary();
      assert.equal(summary.steps, 3);
      assert.ok(
        Math.abs(summary.student.loss! - now.loss!) < 1e-5,
        "the exported student is the one that was measured",
      );
      await run.export(); // a second time, over the first
    }
    assert.equal(backend.memory().bytes, 0);
    await backend.close();
  });
});

Deno.test("a run stepped to its end restores the best weights as one that is trained to it", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    const best = ["train.restoreBest=true", "train.optimiser.learningRate=0.3"];
    const losses: number[] = [];
    for (const way of ["stepped", "trained"]) {
      using run = await Run.open(readTiny(folder, best, way), { backend, builtins });
      if (way === "trained") await run.train();
      else while (!run.finished) await run.step();
      losses.push((await run.evaluate("validation")).loss!);
    }
    assert.equal(losses[0], losses[1]);
    await backend.close();
  });
});

Deno.test("a run that goes on from the checkpoint of its end exports the best weights, whether it is trained or not", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    // Nothing can be gained by a whole 1: the first epoch stays the best.
    const best = [
      "train.restoreBest=true",
      "train.epochs=2",
      "train.earlyStopping={ patience: 9, minDelta: 1 }",
      "train.checkpointEvery=1",
    ];
    const recipe = readTiny(folder, best);
    {
      using run = await Run.open(recipe, { backend, builtins });
      while (!run.finished) await run.step();
    }
    const exported: Uint8Array[] = [];
    for (const way of ["trained", "stepped"]) {
      using run = await Run.open(recipe, { backend, builtins, resume: true });
      assert.ok(run.finished);
      if (way === "trained") await run.train();
      await run.export();
      exported.push(await studentOf(folder, "stepped"));
    }
    assert.deepEqual(exported[1], exported[0]);
    await backend.close();
  });
});

Deno.test("a summary is of the student as it is, not of one that was exported before", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    {
      using run = await Run.open(readTiny(folder), { backend, builtins });
      await run.step();
      const early = await run.summary();
      for (let step = 0; step < 8; step++) await run.step();
      const late = await run.summary();
      assert.notEqual(late.student.loss, early.student.loss);
      assert.ok(Math.abs(late.student.loss! - (await run.evaluate("test")).loss!) < 1e-5);
      const steps = Promise.allSettled([run.step(), run.step()]);
      assert.deepEqual((await steps).map(({ status }) => status), ["fulfilled", "rejected"]);
      assert.equal(run.steps, 10);
    }
    assert.equal(backend.memory().bytes, 0);
    await backend.close();
  });
});

const refusals: Readonly<Record<string, readonly [overrides: string[], message: RegExp]>> = {
  "a loss without the teacher it needs": [["losses=[{ use: kd }]"], /without a teacher/],
  "options that do not fit the models": [
    ["losses=[{ use: tensor-alignment }]"],
    /Cannot align tensors without a teacher/,
  ],
  "layers to be replaced without a teacher": [["train.theseus={ replacingRate: 0.5 }"], /there is no teacher/],
  "a metric that the task has not": [["train.monitor=validation.pearson"], /Cannot go by validation\.pearson/],
  "a pattern that matches nothing": [["train.diagnostics={ layers: nothing.* }"], /nothing\.\*/],
};

for (const [what, [overrides, message]] of Object.entries(refusals)) {
  Deno.test(`a run refused for ${what} leaves nothing on the backend`, async () => {
    await withTinyData(async (folder) => {
      const backend = await CpuBackend.create();
      const opened = Run.open(readTiny(folder, overrides), { backend, builtins });
      await assert.rejects(opened, { name: "UserError", message });
      assert.deepEqual(backend.memory().bytes, 0);
      await backend.close();
    });
  });
}

Deno.test("a run that was disposed of says so whatever is asked of it, and is disposed of once", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    const run = await Run.open(readTiny(folder), { backend, builtins });
    await run.step();
    run[Symbol.dispose]();
    run[Symbol.dispose]();
    const disposed = { name: "RangeError", message: "Cannot use a run that was disposed of: open it anew" };
    for (const method of ["step", "train", "export", "summary"] as const) await assert.rejects(run[method](), disposed);
    await assert.rejects(run.evaluate("test"), disposed);
    for (const field of ["parts", "steps", "finished"] as const) assert.throws(() => run[field], disposed);
    assert.equal(backend.memory().bytes, 0);
    await backend.close();
  });
});

Deno.test("a run that is to be resumed without a checkpoint is refused before anything is loaded, and leaves nothing", () =>
  withTinyData(async (folder) => {
    const output = join(folder, "none");
    await Deno.remove(join(folder, "train-images"));
    await assert.rejects(tinyRun(folder, { output: "none", resume: true }), {
      name: "UserError",
      message: `Cannot resume as there is no checkpoint "${
        join(output, CHECKPOINT_FILE)
      }": start anew without --resume`,
    });
    await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
  }));

Deno.test("a page that was drawn of a stopped run is not left beside the results of the whole one", () =>
  withTinyData(async (folder) => {
    const overrides = ["train.epochs=2", "validation=null"];
    await assert.rejects(tinyRun(folder, { overrides, signal: stopAt(6) }), Interrupted);
    const page = join(folder, "run", "report.html");
    await Deno.writeTextFile(page, "as it stood");
    await tinyRun(folder, { overrides, resume: true });
    await assert.rejects(Deno.stat(page), Deno.errors.NotFound);
    // One of a run that was whole stays: nothing of it changes.
    await Deno.writeTextFile(page, "of the whole");
    await tinyRun(folder, { overrides, resume: true });
    assert.equal(await Deno.readTextFile(page), "of the whole");
  }));

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Backend } from "../../../../core/backend/backend.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Interrupted } from "../../../../core/distill/stops.ts";
import { backends } from "../../../support/backends.ts";
import { metricsLog, recorder, stopAt, studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData, writeTinyData } from "../../../support/tiny_run.ts";

Deno.test("20 steps equal 10 steps, a stop, and 10 resumed steps, bit for bit", async () => {
  await withTinyData(async (folder) => {
    for (const optimiser of ["sgd", "adamw"]) {
      const options = {
        overrides: [
          `train.optimiser={ use: ${optimiser}, learningRate: 0.01 }`,
          "student.dropout=0.2",
          "augment={ flip: true, shift: 1 }",
          "train.restoreBest=true",
        ],
      };
      await tinyRun(folder, { ...options, output: "whole" });
      // In the middle of an epoch, and at its end.
      for (const stop of [7, 10]) {
        await assert.rejects(tinyRun(folder, { ...options, signal: stopAt(stop), output: "parts" }), Interrupted);
        const { lines, reporter } = recorder();
        await tinyRun(folder, { ...options, output: "parts", resume: true, reporter });
        assert.ok(lines.some((line) => line.startsWith(`resumed after step ${stop} of 25`)), lines.join("\n"));
        assert.deepEqual(
          await studentBytes(folder, "whole"),
          await studentBytes(folder, "parts"),
          `${optimiser}, ${stop}`,
        );
      }
      const log = async (run: string) =>
        (await metricsLog(folder, run)).map((line) => ({ ...line, examplesPerSecond: 0 }));
      assert.deepEqual(await log("whole"), await log("parts"));
    }
  });
});

Deno.test("a checkpoint of another recipe is refused", async () => {
  await withTinyData(async (folder) => {
    await assert.rejects(tinyRun(folder, { ...recorder(5) }), Interrupted);
    await assert.rejects(tinyRun(folder, { resume: true, overrides: ["train.batchSize=8"] }), {
      name: "UserError",
      message:
        /as it was made by another recipe: train\.batchSize differs; the run folder's recipe.yaml is the one that fits$/,
    });
    // The refusal left the run as it was: its own recipe goes on.
    await tinyRun(folder, { resume: true });
    await writeTinyData(folder, 96, 25);
    await assert.rejects(tinyRun(folder, { resume: true }), {
      name: "UserError",
      message: /as test-images has changed since: start anew without --resume$/,
    });
    await assert.rejects(tinyRun(folder, { resume: true, output: "nowhere" }), {
      name: "UserError",
      message: /Cannot resume as there is no checkpoint ".*": start anew without --resume/,
    });
  });
});

Deno.test("a run that stopped early, or is finished, ends again as it ended when it is resumed", async () => {
  await withTinyData(async (folder) => {
    const overrides = ["train.earlyStopping={ patience: 1, minDelta: 1 }", "train.epochs=9"];
    const first = await tinyRun(folder, { overrides });
    const again = await tinyRun(folder, { overrides, resume: true });
    assert.deepEqual([again.epochs, again.losses], [first.epochs, first.losses]);
    assert.equal(again.studentSha256, first.studentSha256);
    assert.ok(first.losses["cross-entropy"] > 0);
  });
});

Deno.test("a learned projection is part of the checkpoint, and a half-written log line does not matter", async () => {
  await withTinyData(async (folder) => {
    const teacher = {
      output: "teacher",
      overrides: ["student.width=6", "student.overParameterise=[]", "train.maxSteps=2"],
    };
    await tinyRun(folder, teacher);
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 6, weights: teacher/student }
losses: [{ use: cross-entropy }, { use: hidden-mse, pairs: [{ student: -1, teacher: -1 }] }]`,
    );
    await tinyRun(folder, { text, output: "whole" });
    await assert.rejects(tinyRun(folder, { text, signal: stopAt(12), output: "parts" }), Interrupted);
    await Deno.writeTextFile(join(folder, "parts", "metrics.jsonl"), '{"step": 12, "los', { append: true });
    await tinyRun(folder, { text, output: "parts", resume: true });
    assert.deepEqual(await studentBytes(folder, "whole"), await studentBytes(folder, "parts"));
    // The teacher is frozen: its file and what it is evaluated to do not depend on the student's training.
    const [a, b] = await Promise.all(
      ["whole", "parts"].map(async (run) =>
        JSON.parse(await Deno.readTextFile(join(folder, run, "metrics.json"))).teacher
      ),
    );
    assert.deepEqual(a, b);
  });
});

Deno.test("a run that goes on by something else says so, be it by another number of threads", async () => {
  await withTinyData(async (folder) => {
    const [one, two] = [await CpuBackend.create({ threads: 1 }), await CpuBackend.create({ threads: 2 })];
    await assert.rejects(tinyRun(folder, { backend: one, signal: stopAt(7) }), Interrupted);
    const warned = async (backend: Backend, done: number) => {
      const warnings: string[] = [];
      const reporter = { ...recorder().reporter, warning: (line: string) => void warnings.push(line) };
      await assert.rejects(tinyRun(folder, { backend, resume: true, signal: stopAt(done), reporter }), Interrupted);
      return warnings;
    };
    assert.deepEqual(await warned(one, 2), []);
    assert.deepEqual(await warned(two, 2), [
      `the run was computed by "${one.description}" up to step 9 and goes on by "${two.description}": its numbers will ` +
      "not be those of a run that was never interrupted, bit for bit",
    ]);
    await tinyRun(folder, { backend: one, resume: true });
    const warnings: string[] = [];
    const reporter = { ...recorder().reporter, warning: (line: string) => void warnings.push(line) };
    await tinyRun(folder, { backend: two, resume: true, reporter });
    assert.deepEqual(warnings, [], "nothing of its training is left to do");
    await one.close();
    await two.close();
  });
});

Deno.test("an interrupted run frees what it had on the caller's backend", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    const overrides = ["train.restoreBest=true", "train.logEvery=3"];
    await assert.rejects(tinyRun(folder, { backend, overrides, signal: stopAt(7) }), Interrupted);
    assert.equal(backend.memory().storages, 0);
    await backend.close();
  });
});

for (const backendCase of backends) {
  Deno.test({
    name: `distillation with chains and alignment resumes after Ctrl-C (${backendCase.name})`,
    ignore: !backendCase.available,
    fn: async () => {
      await withTinyData(async (folder) => {
        await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]", "train.maxSteps=5"] });
        const text = tinyRecipe.replace(
          "losses: [{ use: cross-entropy }]",
          `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }
losses: [{ use: kd }, { use: tensor-alignment, weight: 10 }]`,
        );
        const overrides = ["train.maxSteps=9"];
        const backend = await backendCase.open();
        const whole = await tinyRun(folder, { text, overrides, backend, output: "whole" });
        await assert.rejects(
          tinyRun(folder, { text, overrides, backend, signal: stopAt(4), output: "parts" }),
          Interrupted,
        );
        const parts = await tinyRun(folder, { text, overrides, backend, resume: true, output: "parts" });
        assert.ok(whole.losses["tensor-alignment"] > 0);
        for (const [name, norm] of Object.entries(whole.norms)) {
          assert.ok(Math.abs(parts.norms[name] - norm) < 1e-4 * norm, `${name}: ${norm} and ${parts.norms[name]}`);
        }
        await backend.close();
      });
    },
  });
}

import assert from "node:assert/strict";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Interrupted } from "../../../../core/distill/stops.ts";
import { halves, testBackends, webgpu } from "../../../support/backends.ts";
import { metricsLog, stopAt, studentBytes } from "../../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const F16 = ["train.precision=f16", "train.logEvery=2"];
const asItIs = halves[0];

/** Gradients so large that they are finite in float16 only from a scale of some hundreds on downwards. */
const LARGE = [
  "losses=[{ use: cross-entropy, weight: 10000 }]",
  "train.optimiser={ use: adamw, learningRate: 0.01 }",
  "train.clipGradientNorm=null",
];

testBackends("a short training in float16 comes to the loss of float32, and ships float32", async (backend) => {
  await withTinyData(async (folder) => {
    const overrides = ["train.epochs=3"];
    const single = await tinyRun(folder, { backend, overrides, output: "f32" });
    const half = await tinyRun(folder, { backend, overrides: [...overrides, ...F16], output: "f16" });
    const [expected, actual] = [single.student.loss!, half.student.loss!];
    assert.ok(Math.abs(actual - expected) < 0.03 * expected, `${actual} against ${expected}`);
    assert.notEqual(half.studentSha256, single.studentSha256, "it is another computation");
    assert.deepEqual([single.precision, single.lossScale], ["f32", null]);
    assert.deepEqual([half.precision, half.lossScale], ["f16", { scale: 2 ** 15, skippedSteps: 0 }]);
    const files = await Promise.all(["f32", "f16"].map((run) => studentBytes(folder, run)));
    assert.equal(files[1].length, files[0].length);
  });
}, [asItIs]);

testBackends("steps that overflow are skipped and told, and a resumed run is the same", async (backend) => {
  await withTinyData(async (folder) => {
    const options = { backend, overrides: [...LARGE, ...F16, "train.maxSteps=14"] };
    const whole = await tinyRun(folder, { ...options, output: "whole" });
    const skipped = whole.lossScale!.skippedSteps;
    assert.ok(skipped >= 5 && skipped <= 11, `${skipped} skipped`);
    assert.equal(whole.lossScale!.scale, 2 ** (15 - skipped));
    // While steps are skipped, and in the middle of an epoch.
    await assert.rejects(tinyRun(folder, { ...options, signal: stopAt(4), output: "parts" }), Interrupted);
    const parts = await tinyRun(folder, { ...options, output: "parts", resume: true });
    assert.deepEqual(parts.lossScale, whole.lossScale);
    assert.equal(parts.studentSha256, whole.studentSha256);
    const unreplayed = { ...options, overrides: [...options.overrides, "train.replay=false"], output: "unreplayed" };
    assert.equal((await tinyRun(folder, unreplayed)).studentSha256, whole.studentSha256);
    const scales = (await metricsLog(folder, "whole")).flatMap(({ lossScale }) => lossScale ? [lossScale] : []);
    assert.deepEqual(scales[0], { scale: 2 ** 13, skippedSteps: 2 });
    assert.deepEqual(scales.at(-1), whole.lossScale);
  });
}, [asItIs]);

testBackends("a run whose gradients overflow with any scale stops", async (backend) => {
  await withTinyData(async (folder) => {
    const overrides = [...F16, "losses=[{ use: cross-entropy, weight: 100000000 }]", "train.checkpointEvery=null"];
    await assert.rejects(tinyRun(folder, { backend, overrides }), {
      name: "LossScaleTooSmall",
      message:
        "Stopped at step 16 as gradients are not finite in f16 with any loss scale from 1 on (16 steps skipped); " +
        "there is no checkpoint yet; train.precision: f32 goes beyond 65504, where f16 ends, and a lower " +
        "train.optimiser.learningRate or a bound in train.clipGradientNorm usually helps",
    });
  });
}, [asItIs]);

testBackends("activations beyond float16 are a loss that is not finite", async (backend) => {
  await withTinyData(async (folder) => {
    const overrides = [...F16, "dataset.std=[0.000001]", "train.checkpointEvery=null"];
    await assert.rejects(tinyRun(folder, { backend, overrides }), {
      name: "NonFiniteLoss",
      message:
        /^Stopped at step 1 as its loss is not finite; .*; train\.precision: f32 goes beyond 65504, where f16 ends/,
    });
  });
}, [asItIs]);

const refused = async (backend: CpuBackend | Awaited<ReturnType<typeof webgpu.open>>, reason: RegExp) => {
  await withTinyData(async (folder) => {
    await assert.rejects(tinyRun(folder, { backend, overrides: F16 }), { name: "UserError", message: reason });
    assert.equal(backend.memory().storages, 0);
  });
};

Deno.test("float16 is refused where a backend has none (cpu)", async () => {
  const backend = await CpuBackend.create();
  await refused(
    backend,
    /: Cannot train with train\.precision: f16 as the cpu backend computes in float32; use f32, or --backend webgpu on an adapter with shader-f16$/,
  );
  await backend.close();
});

testBackends("float16 is refused where a backend has none", async (backend) => {
  await refused(backend, /f16 as ".+" was opened without the feature shader-f16, if it has that at all; use f32, or /);
}, [webgpu]);

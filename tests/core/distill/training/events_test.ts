import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { curvesOf } from "../../../../core/distill/training/curves.ts";
import { notLong, singularValuesOf } from "../../../../core/distill/training/spectra.ts";
import { Interrupted } from "../../../../core/distill/stops.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { readEvents } from "../../../support/event_file.ts";
import { halves, testBackends } from "../../../support/backends.ts";
import { metricsLog, stopAt, studentBytes } from "../../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const EVENTS = ["log.tensorboard=true", "train.epochs=2"];
const CHAIN = "layer1.0.conv1.weight";
const stepsOf = (curve: readonly (readonly [step: number, value: number])[]) => curve.map(([step]) => step);

Deno.test("a run's numbers, spectra and recipe are in TensorBoard's file, and training is the same without it", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.epochs=2"], output: "plain" });
    await tinyRun(folder, { overrides: EVENTS });
    assert.deepEqual(await studentBytes(folder), await studentBytes(folder, "plain"));
    const { first, scalars, histograms, texts } = await readEvents(join(folder, "run"));
    assert.deepEqual(first.what, { case: "fileVersion", value: "brain.Event:2" });
    const log = await metricsLog(folder);
    const steps = log.filter(({ loss }) => loss !== undefined);
    const validated = log.filter(({ validation }) => validation);
    for (
      const [tag, expected] of [
        ["loss/total", steps.map(({ step, loss }) => [step, Math.fround(loss)])],
        ["loss/cross-entropy", steps.map(({ step, losses }) => [step, Math.fround(losses["cross-entropy"])])],
        ["train/accuracy", steps.map(({ step, accuracy }) => [step, Math.fround(accuracy)])],
        ["train/learning_rate", steps.map(({ step, learningRate }) => [step, Math.fround(learningRate)])],
        [`norm/${CHAIN}`, steps.map(({ step, norms }) => [step, Math.fround(norms[CHAIN])])],
        ["validation/loss", validated.map(({ step, validation }) => [step, Math.fround(validation.loss)])],
        ["validation/f1Macro", validated.map(({ step, validation }) => [step, Math.fround(validation.f1Macro)])],
      ] as const
    ) assert.deepEqual(scalars[tag], expected, tag);
    assert.deepEqual(stepsOf(scalars["loss/total"]), [5, 10]);
    // Half a cosine from 0.05: the rates of the fifth and the tenth step of ten.
    const rates = [4, 9].map((step) => Math.fround(0.05 * (1 + Math.cos(Math.PI * step / 10)) / 2));
    scalars["train/learning_rate"].forEach(([, rate], index) => assert.ok(Math.abs(rate - rates[index]) < 1e-7));
    // A matrix [4, 36] has four singular values.
    assert.deepEqual(histograms[`singular_values/${CHAIN}`], [[0, 4], [5, 4], [10, 4]]);
    assert.equal(Object.keys(histograms).length, 6, "every chain has its own");
    assert.match(texts.recipe[0], /^ {4}name: tiny\n[^]*\n {4}log:\n {6}tensorboard: true\n/);
  }));

Deno.test("a resumed run goes on in its file, without what came after the checkpoint, whole or torn", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: EVENTS, output: "whole" });
    const whole = await readEvents(join(folder, "whole"));
    const overrides = EVENTS;
    await assert.rejects(tinyRun(folder, { overrides, signal: stopAt(5) }), Interrupted);
    const { file } = await readEvents(join(folder, "run"));
    // A program that was killed: it wrote of later steps, and the last record in part.
    const later = await Deno.readFile(whole.file);
    await Deno.writeFile(file, later.slice(0, later.length - 9));
    await tinyRun(folder, { overrides, resume: true });
    const parts = await readEvents(join(folder, "run"));
    const { "train/examples_per_second": _, ...expected } = whole.scalars;
    const { "train/examples_per_second": __, ...scalars } = parts.scalars;
    assert.equal(parts.file, file);
    assert.deepEqual(scalars, expected);
    assert.deepEqual(parts.histograms, whole.histograms);
    assert.equal(parts.texts.recipe.length, 1);
    // The next run puts it aside with the others, and a run without it leaves none.
    await tinyRun(folder, { overrides: ["train.epochs=1"] });
    await assert.rejects(readEvents(join(folder, "run")), Deno.errors.NotFound);
    assert.deepEqual((await readEvents(join(folder, "run", "previous"))).scalars, parts.scalars);
  }));

Deno.test("a run that is resumed with events where there were none begins them there", () =>
  withTinyData(async (folder) => {
    const overrides = ["train.epochs=2", "validation=null"];
    await assert.rejects(tinyRun(folder, { overrides, signal: stopAt(6) }), Interrupted);
    await tinyRun(folder, { overrides: [...overrides, "log.tensorboard=true"], resume: true });
    const { first, scalars, texts } = await readEvents(join(folder, "run"));
    assert.deepEqual([first.what.case, texts.recipe.length], ["fileVersion", 1]);
    assert.deepEqual(stepsOf(scalars["loss/total"]), [10, 12]);
    assert.ok(!Object.keys(scalars).some((tag) => tag.startsWith("validation")), "there is no validation");
  }));

testBackends("in float16 the loss's scale is a curve, too", async (backend) => {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { backend, overrides: [...EVENTS, "train.precision=f16", "train.epochs=1"] });
    const { scalars } = await readEvents(join(folder, "run"));
    assert.deepEqual(scalars["loss_scale/scale"], [[5, 2 ** 15]]);
    assert.deepEqual(scalars["loss_scale/skippedSteps"], [[5, 0]]);
  });
}, [halves[0]]);

Deno.test("singular values that diagnostics have computed are taken, and no weight is read again", () =>
  withTinyData(async (folder) => {
    const run = async (output: string, ...more: string[]) => {
      const backend = await CpuBackend.create();
      let reads = 0;
      const read = backend.read.bind(backend);
      backend.read = (view) => (reads++, read(view));
      await tinyRun(folder, { backend, overrides: ["train.epochs=2", ...more], output });
      await backend.close();
      return reads;
    };
    const diagnostics = "train.diagnostics={layers: layer*.conv*.weight}";
    const plain = await run("plain", diagnostics);
    const both = await run("run", diagnostics, "log.tensorboard=true");
    assert.equal(both - plain, 1, "that of the six chains before training");
    await run("alone", "log.tensorboard=true");
    const { histograms } = await readEvents(join(folder, "run"));
    assert.deepEqual(histograms, (await readEvents(join(folder, "alone"))).histograms);
  }));

Deno.test("matrices that would take long are left out, and the others are looked at from the first to the last", () => {
  const size = (rows: number, cols = rows) => ({ rows, cols });
  const all = Array.from({ length: 24 }, (_, index) => ({ index, ...size(1024) }));
  const indices = (...call: Parameters<typeof notLong<typeof all[number]>>) =>
    notLong(...call).map(({ index }) => index);
  assert.equal(notLong(all.slice(0, 16)).length, 16);
  assert.deepEqual(indices(all), Array.from({ length: 12 }, (_, at) => 2 * at));
  assert.deepEqual(indices(all, 2), [0, 3, 6, 9, 12, 15, 18, 21]);
  const small = { index: -1, ...size(64) };
  // One that is too large alone takes no part, and none from the others.
  assert.deepEqual(indices([{ index: 0, ...size(4096) }, small]), [-1]);
  // A large one that is looked at leaves no room for the next of its size.
  const large = { index: 1, ...size(2048) };
  assert.deepEqual(indices([large, small, { ...large, index: 2 }, small]), [1, 2]);
  assert.deepEqual(indices([large, small, { ...large, rows: 2560, index: 2 }]), [1]);
  assert.deepEqual(notLong([]), []);
});

Deno.test("a signal is noticed between two matrices", async () => {
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const begun = performance.now();
  while (performance.now() - begun < 60);
  let noticed = false;
  setTimeout(() => noticed = true, 0);
  assert.deepEqual([...await singularValuesOf(ops, Float64Array.of(3, 0, 0, 4), { rows: 2, cols: 2 })], [4, 3]);
  assert.equal(noticed, true);
  await backend.close();
});

Deno.test("what is not a number is no curve", () => {
  const diagnostics = {
    matrices: { w: { relativeStep: null, effectiveRank: 2, singularValues: [1] } },
    agreement: null,
  };
  assert.deepEqual(curvesOf({ step: 1, accuracy: null, epoch: 1, diagnostics }), { "effective_rank/w": 2 });
  assert.deepEqual(curvesOf({ step: 1, lossMetrics: { "kd 2": { entropy: 0.5 } } }), {
    "loss_metrics/kd 2/entropy": 0.5,
  });
});

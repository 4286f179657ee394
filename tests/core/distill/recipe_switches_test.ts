import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors, toFloat32 } from "../../../core/safetensors.ts";
import { recorder, stopAt } from "../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../support/tiny_run.ts";

async function weights(folder: string, run: string): Promise<Map<string, Float32Array>> {
  const { tensors } = await readSafetensors(join(folder, run, "student", "model.safetensors"));
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
}

/** One step of plain gradient descent. */
const oneStep = [
  "train.maxSteps=1",
  "train.optimiser={use: sgd, learningRate: 0.01, momentum: 0, weightDecay: 0.1}",
  "train.schedule={use: constant}",
  "train.clipGradientNorm=null",
];

Deno.test("layerRates multiply the step of the weights that they match, and of no others", () =>
  withTinyData(async (folder) => {
    const plain = [...oneStep, "student.overParameterise=[]"];
    await tinyRun(folder, { output: "start", overrides: [...plain, "train.optimiser.learningRate=1e-30"] });
    await tinyRun(folder, { output: "once", overrides: plain });
    await tinyRun(folder, {
      output: "thrice",
      overrides: [...plain, "train.layerRates=[{layers: 'layer*.conv*', scale: 3}]"],
    });
    const [start, once, thrice] = await Promise.all(["start", "once", "thrice"].map((run) => weights(folder, run)));
    for (const [name, before] of start) {
      if (name.includes("running") || name.includes("num_batches")) continue;
      const factor = /^layer.*\.conv/.test(name) ? 3 : 1;
      const moved = (after: Float32Array) => after.map((value, i) => value - before[i]);
      const [one, three] = [moved(once.get(name)!), moved(thrice.get(name)!)];
      assert.ok(one.some((value) => value !== 0), name);
      three.forEach((value, i) => assert.ok(Math.abs(value - factor * one[i]) < 1e-6, `${name}: ${value}, ${one[i]}`));
    }
  }));

Deno.test("of a chain all cores have the rate: another rate scale of the cores is the same training", () =>
  withTinyData(async (folder) => {
    const rate = "train.layerRates=[{layers: 'layer*.conv*.weight', scale: 2}]";
    await tinyRun(folder, { output: "layers", overrides: ["train.maxSteps=6", rate] });
    await tinyRun(folder, { output: "cores", overrides: ["train.maxSteps=6", "train.cores.learningRateScale=2"] });
    assert.deepEqual(await weights(folder, "layers"), await weights(folder, "cores"));
  }));

Deno.test("weights that no loss depends on are named after the first epoch, and only then", () =>
  withTinyData(async (folder) => {
    const warningsOf = async (losses: string, ...overrides: string[]) => {
      const { warnings, reporter } = recorder();
      await tinyRun(folder, {
        overrides: ["train.epochs=2", "train.batchSize=24", `losses=${losses}`, ...overrides],
        reporter,
      });
      return warnings;
    };
    const file = join(folder, "features.js");
    await Deno.writeTextFile(
      file,
      `export default {
        kind: "loss", name: "features", description: "squared features", options: ({ z }) => z.strictObject({}),
        create: () => ({
          teacherOutputs: [],
          compute: ({ ops, student }) => ops.mean(ops.square(student.features.layer2)),
        }),
      };`,
    );
    assert.deepEqual(await warningsOf(`[{ use: ${file}, weight: 0.001 }]`), [
      "no loss depends on layer3.0.bn1.weight, layer3.0.bn1.bias, layer3.0.bn2.weight and 12 more: nothing is learned there",
    ]);
    assert.deepEqual(await warningsOf("[{ use: cross-entropy }]"), []);
    // While another loss is still to come nothing is said; where it never comes, that is, and what it leaves out.
    const later = (epochs: number) =>
      `[{ use: ${file}, weight: 0.001 }, { use: cross-entropy, weight: { from: 0, to: 1, epochs: ${epochs}, schedule: step } }]`;
    assert.deepEqual(await warningsOf(later(1)), []);
    const never = await warningsOf(later(2));
    assert.equal(never.length, 2, never.join("\n"));
    assert.match(never[0], /^the weight of the loss "cross-entropy" is 0 up to the last of 6 steps: /);
    assert.match(never[1], /^no loss depends on layer3\.0\.bn1\.weight, /);

    // One that begins by itself is still to come, too.
    const late = join(folder, "late.js");
    await Deno.writeTextFile(
      late,
      `export default {
        kind: "loss", name: "late", description: "squared logits", options: ({ z }) => z.strictObject({}),
        create: () => ({
          teacherOutputs: [],
          begins: 1,
          compute: ({ ops, student, at }) =>
            at({ from: 0, to: 1, schedule: "step", epochs: 1, steps: null }) === 0
              ? ops.scalar(0)
              : ops.mean(ops.square(student.logits)),
        }),
      };`,
    );
    assert.deepEqual(await warningsOf(`[{ use: ${file}, weight: 0.001 }, { use: ${late} }]`), []);
    // What one that is over had reached before a stop nobody knows after it.
    const early =
      `[{ use: ${file}, weight: 0.001 }, { use: cross-entropy, weight: { from: 1, to: 0, epochs: 1, schedule: step } }]`;
    const overrides = ["train.epochs=4", "train.batchSize=24", `losses=${early}`];
    await assert.rejects(tinyRun(folder, { output: "stopped", overrides, signal: stopAt(7) }), { name: "Interrupted" });
    const { warnings, reporter } = recorder();
    await tinyRun(folder, { output: "stopped", overrides, resume: true, reporter });
    assert.deepEqual(warnings, []);
  }));

Deno.test("a subset is drawn by the seed; the training examples are measured on request", () =>
  withTinyData(async (folder) => {
    const half = ["train.maxSteps=1", "subset={fraction: 0.5}"];
    const summary = await tinyRun(folder, { overrides: [...half, "evaluate.train=true"] });
    assert.deepEqual(summary.examples, { train: 36, validation: 24, test: 24 });
    assert.ok(summary.student.trainMetrics!.accuracy >= 0);
    const again = await tinyRun(folder, { overrides: half });
    assert.equal(again.studentSha256, summary.studentSha256);
    assert.equal(again.student.trainMetrics, null);
    await assert.rejects(tinyRun(folder, { overrides: ["subset={fraction: 0.001}"] }), {
      name: "UserError",
      message: /^--set subset=.*: Cannot take 0 of 72 training examples/,
    });
  }));

import assert from "node:assert/strict";
import { join } from "node:path";
import { Interrupted, NonFiniteLoss, TrainingFailure } from "../../../core/distill/stops.ts";
import { CHECKPOINT_FILE } from "../../../core/distill/training/checkpoint.ts";
import { backends } from "../../support/backends.ts";
import { recorder, stopAt } from "../../support/run_observers.ts";
import { DIVERGING, tinyRun, withTinyData } from "../../support/tiny_run.ts";

Deno.test("a loss that is not finite stops the run with the step, the examples and the last checkpoint", async () => {
  await withTinyData(async (folder) => {
    const error = await tinyRun(folder, {
      overrides: [DIVERGING, "train.clipGradientNorm=null"],
    })
      .then(() => null, (error) => error);
    assert.ok(error instanceof NonFiniteLoss, `${error}`);
    assert.ok(error.step >= 2 && error.step <= 5, `step ${error.step}`);
    assert.equal(error.indices.length, 16);
    assert.match(error.message, /its batch has the examples \[\d+, .*there is no checkpoint yet/);
  });
});

Deno.test("a student that only its measuring shows to be no longer finite is a failure of training", async () => {
  await withTinyData(async (folder) => {
    // After two steps its losses are finite, and what it gives for images is not.
    const overrides = ["train.maxSteps=2", "train.clipGradientNorm=null", DIVERGING];
    await assert.rejects(tinyRun(folder, { overrides }), (error) => {
      assert.ok(error instanceof TrainingFailure, `${error}`);
      assert.match(error.message, /^Cannot measure the student as its outputs .*; a lower train\.optimiser\.learning/);
      return true;
    });
  });
});

Deno.test("a run stopped behind a step that broke its weights keeps the checkpoint before, and says what broke", async () => {
  await withTinyData(async (folder) => {
    // The loss of the eighth step is large, and finite; what it makes of the weights would show in the ninth.
    await Deno.writeTextFile(
      join(folder, "steep.js"),
      `export default {
        kind: "loss", name: "steep", description: "Steep at last", options: ({ z }) => z.strictObject({}),
        create: () => ({
          teacherOutputs: [],
          compute: ({ ops, student, at }) =>
            ops.scale(ops.mean(ops.square(student.logits)), at({ from: 1, to: 1e37, schedule: "step", epochs: null, steps: 7 })),
        }),
      };`,
    );
    const overrides = ["losses=[{ use: ./steep.js }]", "train.clipGradientNorm=null", "train.logEvery=100"];
    const stop = (steps: number, resume = false) => tinyRun(folder, { overrides, signal: stopAt(steps), resume });
    await assert.rejects(stop(6), Interrupted);
    const state = join(folder, "run", CHECKPOINT_FILE);
    const before = await Deno.readFile(state);
    await assert.rejects(stop(2, true), (error) => {
      assert.ok(error instanceof NonFiniteLoss, `${error}`);
      assert.match(error.message, /^Stopped at step 8 as the weights are not finite; .*\(step 6\)/);
      return true;
    });
    assert.deepEqual(await Deno.readFile(state), before);
  });
});

Deno.test("early stopping ends the run and the best weights come back", async () => {
  await withTinyData(async (folder) => {
    const { lines, reporter } = recorder();
    // Nothing can be gained by a whole 1: the first epoch stays the best, and two more are waited for.
    const overrides = [
      "train.earlyStopping={ patience: 2, minDelta: 1 }",
      "train.restoreBest=true",
      "train.epochs=9",
    ];
    const summary = await tinyRun(folder, { overrides, reporter });
    assert.equal(summary.epochs, 3);
    assert.ok(lines.includes("restored the weights of epoch 1"), lines.join("\n"));
    const one = await tinyRun(folder, {
      output: "one",
      overrides: ["train.epochs=9", "train.maxSteps=5", "train.schedule={ use: constant }"],
    });
    assert.ok(one.steps === 5);
  });
});

Deno.test("a norm that grows tenfold is a warning that says what to change, however rare the log lines", async () => {
  await withTinyData(async (folder) => {
    for (const logEvery of [1, 25]) {
      const { warnings, reporter } = recorder();
      const overrides = [
        "train.optimiser.learningRate=3",
        "train.clipGradientNorm=null",
        "train.optimiser.weightDecay=0",
        `train.logEvery=${logEvery}`,
      ];
      await tinyRun(folder, { overrides, reporter }).catch((error) => assert.ok(error instanceof NonFiniteLoss));
      assert.ok(
        warnings.some((text) => /^the norm of layer\d.* grew from .* set train.clipGradientNorm to 1/.test(text)),
        `${logEvery}: ${warnings.join("\n")}`,
      );
    }
  });
});

for (const backendCase of backends) {
  Deno.test({
    name: `weights that are not finite end the run, even behind a ReLU that hides them (${backendCase.name})`,
    ignore: !backendCase.available,
    fn: async () => {
      await withTinyData(async (folder) => {
        for (const clip of ["null", "auto"]) {
          const backend = await backendCase.open();
          // Three cores that grow by 1e9 in a step are a matrix of 1e27.
          const fast = ["train.optimiser.learningRate=1000", "train.cores.learningRateScale=1000000"];
          const overrides = [...fast, `train.clipGradientNorm=${clip}`];
          await assert.rejects(tinyRun(folder, { overrides, backend }), NonFiniteLoss);
          assert.equal(backend.memory().storages, 0);
          await backend.close();
        }
      });
    },
  });
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors, toFloat32 } from "../../../../core/safetensors.ts";
import { halves, testBackends } from "../../../support/backends.ts";
import { assertClose } from "../../../support/numbers.ts";
import { metricsLog } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/** Batch norm would see one of a step's batches at a time, so the student has none. */
const text = tinyRecipe.replace(
  /student:[^]*losses/,
  `student: { use: mlp, widths: [12], overParameterise: [{ layers: "*.weight", cores: 3 }] }\nlosses`,
);

async function weightsIn(folder: string, output: string): Promise<number[]> {
  const { tensors } = await readSafetensors(join(folder, output, "student", "model.safetensors"));
  return [...tensors.values()].flatMap((tensor) => [...toFloat32(tensor)]);
}

testBackends(
  "a step of several batches is that of one so much larger, also where the last has few examples",
  (backend) =>
    withTinyData(async (folder) => {
      const run = (output: string, ...own: string[]) =>
        tinyRun(folder, { text, output, backend, overrides: ["train.epochs=4", "train.logEvery=1", ...own] });
      const whole = await run("whole", "train.batchSize=21");
      const parts = await run("parts", "train.batchSize=7", "train.accumulate=3");
      // Of 72 examples the last step of an epoch has 9, in batches of 7 and 2.
      assert.deepEqual([whole.steps, parts.steps], [16, 16]);
      assertClose(await weightsIn(folder, "parts"), await weightsIn(folder, "whole"), 1e-6);
      const [ofWhole, ofParts] = await Promise.all(["whole", "parts"].map((output) => metricsLog(folder, output)));
      const losses = (log: typeof ofWhole) => log.flatMap(({ loss }) => loss === undefined ? [] : [loss as number]);
      assert.equal(losses(ofParts).length, 16);
      assertClose(losses(ofParts), losses(ofWhole), 1e-6);
      const accuracies = (log: typeof ofWhole) => log.map(({ accuracy }) => accuracy);
      assert.deepEqual(accuracies(ofParts), accuracies(ofWhole));
      const unreplayed = await run("unreplayed", "train.batchSize=7", "train.accumulate=3", "train.replay=false");
      assert.equal(unreplayed.studentSha256, parts.studentSha256);
    }),
);

testBackends("in float16 the batches' gradients are of one scale", (backend) =>
  withTinyData(async (folder) => {
    const own = ["train.epochs=4", "train.batchSize=9", "train.accumulate=4", "train.clipGradientNorm=null"];
    const [single, half] = [
      await tinyRun(folder, { text, output: "f32", backend, overrides: own }),
      await tinyRun(folder, { text, output: "f16", backend, overrides: [...own, "train.precision=f16"] }),
    ];
    assert.deepEqual(half.lossScale, { scale: 2 ** 15, skippedSteps: 0 });
    const difference = Math.abs(half.student.loss! - single.student.loss!);
    assert.ok(difference < 0.03 * single.student.loss!, `${half.student.loss} against ${single.student.loss}`);
  }), [halves[0]]);

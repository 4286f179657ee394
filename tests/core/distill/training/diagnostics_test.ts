import assert from "node:assert/strict";
import { effectiveRank } from "../../../../core/distill/training/diagnostics.ts";
import { Interrupted } from "../../../../core/distill/stops.ts";
import { metricsLog, stopAt, studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const name = "layer1.0.conv1.weight";
const looking = ["train.epochs=2", `train.diagnostics={layers: ${name}, singularValues: 2}`];
const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);

Deno.test("the effective rank counts equal singular values and weighs others", () => {
  near(effectiveRank([3, 3, 3, 0]), 3);
  near(effectiveRank([5, 0]), 1);
  near(effectiveRank([3, 1]), Math.exp(-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25))));
  assert.equal(effectiveRank([0, 0]), 0);
});

Deno.test("diagnostics are written after each epoch, and training is the same without them", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.epochs=2"] });
    await tinyRun(folder, { output: "looked", overrides: looking });
    assert.deepEqual(await studentBytes(folder, "looked"), await studentBytes(folder));
    const lines = (await metricsLog(folder, "looked")).filter((line) => line.diagnostics);
    assert.deepEqual(lines.map(({ epoch }) => epoch), [1, 2]);
    for (const { diagnostics: { matrices, agreement } } of lines) {
      const { relativeStep, effectiveRank, singularValues } = matrices[name];
      assert.ok(relativeStep > 0 && relativeStep < 5);
      assert.ok(effectiveRank > 1 && effectiveRank <= 4, "a matrix [4, 36] has rank 4 at most");
      assert.ok(singularValues.length === 2 && singularValues[0] >= singularValues[1]);
      assert.equal(agreement, null, "there is no teacher");
    }
  }));

Deno.test("a student agrees with a teacher that it starts from and hardly leaves", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]"] });
    const text = tinyRecipe.replace(
      "student:",
      "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\nstudent:",
    );
    // Batch norm's running statistics move though the rate is next to nothing, so that a few answers may change.
    const still = ["student.weights=teacher/student", "train.optimiser.learningRate=1e-12", ...looking];
    await tinyRun(folder, { text, overrides: still });
    const [{ diagnostics: { agreement, matrices } }] = (await metricsLog(folder)).filter((line) => line.diagnostics);
    assert.ok(agreement > 0.8 && agreement <= 1, `${agreement}`);
    assert.ok(matrices[name].relativeStep < 1e-6);
  }));

Deno.test("after a resume within an epoch its step is not known", () =>
  withTinyData(async (folder) => {
    await assert.rejects(tinyRun(folder, { overrides: looking, signal: stopAt(2) }), Interrupted);
    await tinyRun(folder, { overrides: looking, resume: true });
    const lines = (await metricsLog(folder)).filter((line) => line.diagnostics);
    const steps = lines.map(({ diagnostics }) => diagnostics.matrices[name].relativeStep);
    assert.equal(steps[0], null);
    assert.ok(steps[1] > 0);
  }));

Deno.test("a pattern that matches no weight is told with its place", () =>
  withTinyData((folder) =>
    assert.rejects(tinyRun(folder, { overrides: ["train.diagnostics={layers: fc.wieght}"] }), {
      name: "UserError",
      message: /^--set train\.diagnostics=.*: Nothing matches "fc\.wieght": the nearest of \d+ are fc\.weight/,
    })
  ));

import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { Run } from "../../../core/distill/run.ts";
import { agreementOf, decisionsOf } from "../../../core/evaluate/decisions.ts";
import { exportStudent } from "../../../core/distill/student/export_student.ts";
import { Student } from "../../../core/distill/student/student.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";
import type { FileTensors } from "../../../core/plugin/model.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { metricsLog } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const PLAIN = "student.overParameterise=[]";
const TAUGHT = tinyRecipe.replace(
  "student:",
  "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\nstudent:",
);

/** Opens a tiny run, of two epochs unless the overrides say more, for `body`. */
async function withRun(
  { overrides = [], text = tinyRecipe }: { overrides?: readonly string[]; text?: string },
  body: (run: Run, backend: CpuBackend, folder: string) => Promise<void>,
): Promise<void> {
  await withTinyData(async (folder) => {
    if (text !== tinyRecipe) await tinyRun(folder, { output: "teacher", overrides: [PLAIN, "train.epochs=2"] });
    const backend = await CpuBackend.create();
    const output = { path: ["output"], value: join(folder, "run"), label: "test" };
    const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [output, "train.epochs=2", ...overrides],
    });
    {
      using run = await Run.open(recipe, { backend, builtins });
      await body(run, backend, folder);
    }
    assert.equal(backend.memory().bytes, 0);
    await backend.close();
  });
}

/** Counts from now on how often a split is gone through; both have one batch. */
function counted(examples: Examples | null): { times: number } {
  const count = { times: 0 };
  const { batch } = examples!;
  Object.assign(examples!, {
    batch: (...args: Parameters<Examples["batch"]>) => {
      count.times++;
      return batch.apply(examples, args);
    },
  });
  return count;
}

Deno.test("a student without chains is verified by its numbers, one with chains by its logits", async () => {
  for (const overrides of [[PLAIN], []]) {
    await withRun({ overrides }, async (run) => {
      await run.step();
      const { test } = run.parts.data, { batch } = test;
      let examples = 0;
      Object.assign(test, {
        batch: (...args: Parameters<Examples["batch"]>) => {
          examples += args[0].length;
          return batch.apply(test, args);
        },
      });
      const { same, difference } = await run.export();
      const isPlain = overrides.length > 0;
      assert.equal(same, isPlain);
      assert.equal(examples, isPlain ? 16 : test.length);
      assert.ok(isPlain ? difference === 0 : difference < 1e-4);
    });
  }
});

Deno.test("a student without chains whose logits are not finite is refused before its folder has its name", () =>
  withRun({ overrides: [PLAIN] }, async (run, _, folder) => {
    const { ops, student, data, watch, recipe: { value: { verify } } } = run.parts;
    const numbers = new Map([...await student.plain.read(), ...await student.untrained.read()]);
    for (const [name, values] of numbers) if (name.endsWith(".weight")) numbers.set(name, values.map(() => 1e30));
    const large = new Student(ops, student.model, new Map(), numbers);
    const setup = { ops, student: large, verify, data, folder, run: "made up", architecture: "resnet", watch };
    await assert.rejects(exportStudent(setup), { name: "TrainingFailure", message: /differ by up to NaN/ });
    await assert.rejects(Deno.stat(join(folder, "student")), Deno.errors.NotFound);
    large.dispose();
  }));

Deno.test("a student without chains whose file gives other numbers is refused by its logits", () =>
  withRun({ overrides: [PLAIN] }, async (run, _, folder) => {
    const { ops, student, data, watch, recipe: { value: { verify } } } = run.parts;
    const numbers = new Map([...await student.plain.read(), ...await student.untrained.read()]);
    const fromFile = (tensors: FileTensors) =>
      new Map(
        [...tensors].map(([name, { shape, numbers }]) => [name, { shape, numbers: () => numbers().map((x) => x + 1) }]),
      );
    const other = new Student(ops, { ...student.model, fromFile }, new Map(), numbers);
    const setup = { ops, student: other, verify, data, folder, run: "made up", architecture: "resnet", watch };
    await assert.rejects(exportStudent(setup), { name: "TrainingFailure", message: /^Merging changed the student/ });
    other.dispose();
  }));

Deno.test("what the last epoch measured of the validation examples is not measured again, unless chains were merged", async () => {
  // A run whose second epoch is right as often as the first, which is then the best.
  const equal = ["train.monitor=validation.accuracy", "train.optimiser.learningRate=0.6", "seed=3"];
  const restored = [PLAIN, "train.restoreBest=true", ...equal];
  for (const [overrides, again, epoch] of [[[PLAIN], 0, 2], [restored, 0, 1], [[], 1, 2]] as const) {
    await withRun({ overrides }, async (run, _, folder) => {
      await run.train();
      const validation = counted(run.parts.data.validation);
      const { student: { validationMetrics } } = await run.summary();
      assert.equal(validation.times, again, overrides.join());
      const now = await run.evaluate("validation");
      assert.deepEqual(validationMetrics, now.metrics);
      if (again === 0) assert.equal(run.parts.training.validated!.loss, now.loss);
      const epochs = (await metricsLog(folder)).filter((line) => line.validation);
      assert.equal(epochs.findIndex((line) => line.validation.loss === now.loss) + 1, epoch);
    });
  }
});

Deno.test("after another step it is measured anew", () =>
  withRun({ overrides: [PLAIN] }, async (run) => {
    for (let step = 0; step < 5; step++) await run.step();
    assert.ok(run.parts.training.validated, "an epoch has ended");
    await run.step();
    const validation = counted(run.parts.data.validation);
    await run.summary();
    assert.equal(validation.times, 1);
  }));

Deno.test("what a teacher decides about the test examples is computed once, by whoever wants it", () =>
  withRun({ text: TAUGHT, overrides: ["train.monitor=validation.agreement"] }, async (run) => {
    const { test, validation } = run.parts.data;
    const [tested, validated] = [counted(test), counted(validation)];
    const summary = await run.train().then(() => run.summary());
    assert.ok(summary.student.metrics.agreement > 0);
    assert.deepEqual([tested.times, validated.times], [3, 4], "teacher, both students; teacher once, student thrice");
  }));

Deno.test("diagnostics take the student's decisions from the validation of the epoch", () =>
  withRun({ text: TAUGHT, overrides: ["train.diagnostics={ layers: fc.weight }"] }, async (run, _, folder) => {
    const validation = counted(run.parts.data.validation);
    await run.train();
    assert.equal(validation.times, 3, "the teacher once, the student after each epoch");
    const lines = (await metricsLog(folder)).filter((line) => line.diagnostics);
    const { ops, student, teacher, data } = run.parts;
    const weights = student.frozenWeights();
    const [own, taught] = await Promise.all(
      [{ model: student.model, weights }, teacher!].map(({ model, weights }) =>
        decisionsOf(ops, { model, weights, examples: data.validation!, task: "classification", batchSize: 500 })
      ),
    );
    weights.dispose();
    assert.equal(lines.at(-1).diagnostics.agreement, agreementOf("classification", own, taught));
  }));

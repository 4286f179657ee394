import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../../core/data/random.ts";
import { lookAtTeacher } from "../../../../core/distill/teacher/poor_teacher.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import type { Examples } from "../../../../core/plugin/dataset.ts";
import type { Model } from "../../../../core/plugin/model.ts";
import { recorder } from "../../../support/run_observers.ts";
import { float64, testBackends } from "../../../support/backends.ts";
import { imageData } from "../../../support/inputs.ts";
import { outputs } from "../../../support/losses.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const CLASSES = ["cat", "dog", "eel", "fox"];

/** Examples whose answers come with them; as many of each class as `counts` says. */
function examplesOf(counts: readonly number[], answer: (label: number, index: number) => number): Examples {
  const labels = counts.flatMap((count, label) => new Array<number>(count).fill(label));
  return {
    length: labels.length,
    labels: Uint8Array.from(labels),
    batch(indices) {
      const own = Array.from(indices, (index) => labels[index]);
      const answers = Array.from(indices, (index) => answer(labels[index], index));
      const logits = answers.flatMap((place) => CLASSES.map((_, index) => index === place ? 4 : 0));
      return {
        label: { data: Float32Array.from(own), shape: [own.length] },
        logits: { data: Float32Array.from(logits), shape: [own.length, CLASSES.length] },
      };
    },
  };
}

/** A model that gives the answers that its examples bring. */
const model: Model = {
  parameters: [],
  config: {},
  forward: ({ batch }) => outputs(batch.logits),
  fromForeign: () => null,
};

const even = [50, 50, 50, 50];
const random = new Random(7);
const drawn = Array.from({ length: 400 }, () => random.below(4));

testBackends("a teacher's classes in another order are told, with what it would be right on", async (backend) => {
  const ops = createOps(backend);
  const look = (counts: readonly number[], answer: (label: number, index: number) => number) =>
    lookAtTeacher(ops, {
      teacher: { model, weights: weightsFrom(new Map()) },
      examples: examplesOf(counts, answer),
      split: "validation",
      input: imageData([1, 1, 1], CLASSES),
      batchSize: 64,
    });
  const rotated = await look(even, (label) => (label + 1) % 4);
  assert.match(
    rotated!,
    /right on 0\.0 % of 200 validation examples, and would be on 100\.0 % .*cat for fox, dog for cat/,
  );
  const swapped = await look(even, (label) => [1, 0, 2, 3][label]);
  assert.match(swapped!, /on 50\.0 % .* would be on 100\.0 % .*\(cat for dog, dog for cat\): .* dataset\.classes/);
  // A good one, one that errs often, and one of very unequal classes.
  assert.equal(await look(even, (label) => label), null);
  assert.equal(await look(even, (label, index) => index % 2 === 0 ? label : drawn[index]), null);
  assert.equal(await look([196, 4, 0, 0], (label) => label), null);
}, [float64]);

testBackends("a teacher that guesses is told, also where guessing is right on most", async (backend) => {
  const ops = createOps(backend);
  const look = (counts: readonly number[], answer: (label: number, index: number) => number) =>
    lookAtTeacher(ops, {
      teacher: { model, weights: weightsFrom(new Map()) },
      examples: examplesOf(counts, answer),
      split: "training",
      input: imageData([1, 1, 1], CLASSES),
      batchSize: 64,
    });
  assert.match(
    (await look([100, 100, 100, 100], (_, i) => drawn[i]))!,
    /of 256 training examples, no more than a guess/,
  );
  assert.match((await look([190, 10, 0, 0], () => 0))!, /right on 95\.0 % .*, no more than a guess \(95\.0 %\)/);
}, [float64]);

Deno.test("a run warns of a poor teacher, refuses it if told so, or says nothing", async () => {
  await withTinyData(async (folder) => {
    // Untrained: its first logits are nearly those of its biases.
    const untrained = ["train.maxSteps=1", "train.optimiser.learningRate=1e-9", "student.overParameterise=[]"];
    await tinyRun(folder, { output: "teacher", overrides: untrained });
    const taught = (onPoorTeacher: string) =>
      tinyRecipe.replace(
        "losses: [{ use: cross-entropy }]",
        `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student, onPoorTeacher: ${onPoorTeacher} }
losses: [{ use: kd }]`,
      );
    const short = ["train.epochs=1"];
    const warnings = async (text: string) => {
      const { reporter, warnings } = recorder();
      await tinyRun(folder, { text, overrides: short, reporter });
      return warnings;
    };
    assert.match(
      (await warnings(taught("warn"))).join("\n"),
      /of 24 validation examples, no more than a guess .*ignore/,
    );
    assert.deepEqual(await warnings(taught("ignore")), []);
    await assert.rejects(tinyRun(folder, { text: taught("refuse"), output: "refused" }), {
      name: "UserError",
      message: /tiny\.yaml:\d+:\d+: Cannot learn from it: the teacher is right on/,
    });
    await assert.rejects(Deno.stat(join(folder, "refused")), Deno.errors.NotFound);
  });
});

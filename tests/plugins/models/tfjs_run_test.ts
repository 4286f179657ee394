import assert from "node:assert/strict";
import { join } from "node:path";
import { silent } from "../../../core/distill/progress.ts";
import { testBackends } from "../../support/backends.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { saveLayers, tf, tfl } from "./tfjs_fixture.ts";

/**
 * A teacher that is right about the tiny data: a class is bright in its rows, so its logit is their mean brightness.
 */
async function saveTeacher(folder: string, sharpness: number): Promise<void> {
  const flatten = tfl.layers.flatten({ name: "flat", inputShape: [8, 8, 1] });
  const network = tfl.sequential({ name: "network", layers: [flatten, tfl.layers.dense({ name: "head", units: 3 })] });
  const classOf = (pixel: number) => Math.floor(pixel / 8 / 3);
  const kernel = Float32Array.from({ length: 192 }, (_, i) => {
    const [pixel, label] = [Math.floor(i / 3), i % 3];
    return classOf(pixel) === label ? sharpness / (label === 2 ? 16 : 24) : 0;
  });
  const weights = [tf.tensor(kernel, [64, 3]), tf.tensor(new Float32Array(3), [3])];
  network.setWeights(weights);
  await Deno.mkdir(folder, { recursive: true });
  await saveLayers(network, folder);
  weights.forEach((weight) => weight.dispose());
  network.dispose();
}

const recipe = tinyRecipe.replace(
  "losses: [{ use: cross-entropy }]",
  `teacher: { use: tfjs, weights: teacher, pixels: "0..1" }\nlosses: [{ use: kd, temperature: 2 }]`,
);

testBackends("a model of TensorFlow.js is distilled into a ResNet of chains", async (backend) => {
  await withTinyData(async (folder) => {
    await saveTeacher(join(folder, "teacher"), 20);
    const whole = backend.name === "cpu";
    // Two steps are enough where a software GPU computes: that the numbers are right, other tests say.
    const overrides = whole ? [] : ["train.maxSteps=2"];
    const { teacher, student, steps } = await tinyRun(folder, { text: recipe, overrides, backend });
    assert.equal(teacher!.accuracy, 1);
    assert.equal(teacher!.parameters, 64 * 3 + 3);
    assert.equal(steps, whole ? 25 : 2);
    if (whole) assert.ok(student.accuracy! > 0.9, `the student is right in ${student.accuracy}, with no labels`);
    assert.equal(backend.memory().storages, 0);
  });
});

Deno.test("its outputs can be cached; those of another model's files are others", async () => {
  await withTinyData(async (folder) => {
    const lines: string[] = [];
    const reporter = { ...silent, line: (line: string) => void lines.push(line) };
    const overrides = ["teacher.cache=cache", "train.maxSteps=2"];
    for (const sharpness of [20, 20, 30]) {
      await saveTeacher(join(folder, "teacher"), sharpness);
      await tinyRun(folder, { text: recipe, overrides, reporter });
    }
    const told = lines.filter((line) => line.startsWith("teacher: outputs")).map((line) => line.includes("written"));
    assert.deepEqual(told, [true, false, true]);
    const run = { text: recipe, reporter, overrides, resume: true };
    await saveTeacher(join(folder, "teacher"), 40);
    await assert.rejects(tinyRun(folder, run), /Cannot resume from "\S+" as the teacher has changed since/);
  });
});

Deno.test("a student of TensorFlow.js is refused at its place in the recipe", async () => {
  await withTinyData(async (folder) => {
    const text = recipe.replace(/student:\n( {2}.*\n)+/, "student: { use: tfjs }\n");
    await saveTeacher(join(folder, "teacher"), 20);
    await assert.rejects(tinyRun(folder, { text }), /tiny\.yaml.*: Cannot train the model "tfjs"/s);
  });
});

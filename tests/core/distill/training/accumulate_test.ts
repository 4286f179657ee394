import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors, toFloat32 } from "../../../../core/safetensors.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { unequalMeans } from "../../../../core/distill/losses/shared_means.ts";
import { Run } from "../../../../core/distill/run.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { builtins } from "../../../../plugins/builtins.ts";
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

/** Sentences of 1 to 7 words, of which some are marked. */
const sentences = (count: number) =>
  Array.from(
    { length: count },
    (_, index) =>
      Array.from({ length: 1 + (5 * index) % 7 }, (_, word) => (index + word) % 3 ? "a O" : "b B-V").join("\n"),
  ).join("\n\n") +
  "\n";

const encoder =
  "use: bert, layers: 1, width: 8, heads: 2, positions: 24, types: 0, crf: true, dropout: 0, attentionDropout: 0";

const tagger = `
name: tiny
seed: 3
validation: null
dataset: { use: conll, train: train.conll, test: test.conll, vocabularySize: 60, maxLength: 24 }
student: { ${encoder} }
losses: [{ use: crf }]
train: { epochs: 1, maxSteps: 1, batchSize: 8, logEvery: 1, optimiser: { use: adamw, learningRate: 0.01 } }
`;

const tokenLosses = `teacher: { ${encoder}, weights: one/student, onPoorTeacher: ignore }
losses:
  - { use: cross-entropy }
  - { use: kd }
  - { use: mse-logits }
  - { use: hidden-mse, pairs: [{ student: -1, teacher: -1 }] }
  - { use: hidden-mse, pairs: [{ student: pooled, teacher: pooled }] }
  - { use: cosine-hidden, pairs: [{ student: -1, teacher: -1 }] }
  - { use: patient, pairs: [{ student: pooled, teacher: pooled }] }
  - { use: attention-mse }
  - { use: minilm }
  - { use: similarity-preserving, pairs: [{ student: pooled, teacher: pooled }] }
  - { use: crf }
  - { use: structure-marginals }
  - { use: structure-top-k }
  - { use: sub-structure, parts: emissions }
  - { use: sub-structure, parts: edges }`;

Deno.test("of losses of a tagger those are told whose sum over batches is not that of one", async () => {
  const folder = await Deno.makeTempDir();
  const backend = await CpuBackend.create();
  try {
    await Deno.writeTextFile(join(folder, "train.conll"), sentences(8));
    await Deno.writeTextFile(join(folder, "test.conll"), sentences(8));
    await tinyRun(folder, { text: tagger, output: "one", backend, overrides: ["seed=4"] });
    const text = tagger.replace("losses: [{ use: crf }]", tokenLosses);
    const terms = async (output: string, ...overrides: string[]) => {
      await tinyRun(folder, { text, output, backend, overrides });
      return (await metricsLog(folder, output)).find(({ losses }) => losses).losses as Record<string, number>;
    };
    const [whole, parts] = [await terms("whole"), await terms("parts", "train.batchSize=2", "train.accumulate=4")];
    const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [{ path: ["output"], value: join(folder, "opened"), label: "test" }, "train.accumulate=4"],
    });
    using run = await Run.open(recipe, { backend, builtins });
    const { losses, data: { train, dataset: { input } } } = run.parts;
    const told = losses.all.map((
      loss,
    ) => [loss.name, unequalMeans(recipe.value, { all: [loss] }, train, input) !== null]);
    const differs = Object.keys(whole).map((name) => [name, Math.abs(parts[name] / whole[name] - 1) > 1e-4]);
    assert.deepEqual(told, differs, JSON.stringify([whole, parts]));
    assert.deepEqual(told.filter(([, said]) => !said).length, 4);
  } finally {
    await backend.close();
    await Deno.remove(folder, { recursive: true });
  }
});

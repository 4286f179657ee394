import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { evaluate } from "../../core/evaluate/evaluate.ts";
import { weightsFrom } from "../../core/nn/weights.ts";
import { createOps } from "../../core/ops/ops.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import type { Model } from "../../core/plugin/model.ts";
import { freshWeights } from "../../core/plugin/parameters.ts";
import { writeSafetensors } from "../../core/safetensors.ts";
import { resnet } from "../../plugins/models/resnet/resnet.ts";
import { testBackends } from "../support/backends.ts";
import { imageData } from "../support/inputs.ts";
import { outputs } from "../support/losses.ts";
import { type TinyChange, tinyRecipe, tinyRun, writeTinyData } from "../support/tiny_run.ts";

const withTeacher = tinyRecipe.replace(
  "student:",
  "teacher: { use: resnet, depth: 8, width: 4, weights: teacher.safetensors }\nstudent:",
).replace("{ use: cross-entropy }", "{ use: kd, temperature: 0.001 }, { use: kd, temperature: 10000 }");

async function withData(train: number, test: number, change: TinyChange, body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await writeTinyData(folder, train, test, change);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Weights of the tiny recipe's network, each number changed. */
async function writeWeights(file: string, change: (x: number, i: number) => number): Promise<void> {
  const model = resnet.build(
    resnet.options(optionKit).parse({ depth: 8, width: 4 }),
    imageData([8, 8, 1], ["0", "1", "2"]),
  );
  const numbers = freshWeights(model, new Random(1));
  const tensors = model.parameters.map(({ name, shape }) =>
    [name, { shape, data: name === "conv1.weight" ? numbers.get(name)!.map(change) : numbers.get(name)! }] as const
  );
  await writeSafetensors(file, new Map(tensors));
}

const quick = ["train.epochs=1", "student.overParameterise=[]"];

testBackends(
  "weights that are NaN or infinite are refused where they are read, with their place",
  (backend) =>
    withData(17, 4, {}, async (folder) => {
      const [teacher, student] = ["teacher", "student"].map((who) => join(folder, `${who}.safetensors`));
      await writeWeights(teacher, (x, i) => i === 3 ? -Infinity : x);
      await writeWeights(student, (x, i) => i === 7 ? NaN : x);
      const run = (text: string, ...overrides: string[]) => tinyRun(folder, { text, backend, overrides });
      await assert.rejects(run(withTeacher, "validation.count=1"), {
        name: "UserError",
        message: /Cannot load the teacher from ".*teacher\.safetensors" as number 3 of conv1\.weight is -Infinity: all/,
      });
      await assert.rejects(run(tinyRecipe, "validation.count=1", "student.weights=student.safetensors"), {
        name: "UserError",
        message: /Cannot load the student from ".*student\.safetensors" as number 7 of conv1\.weight is NaN: all/,
      });
    }),
);

testBackends(
  "a teacher whose outputs are not finite is not measured, though its weights are",
  (backend) =>
    withData(96, 4, {}, async (folder) => {
      await writeWeights(join(folder, "teacher.safetensors"), (x) => x * 1e38);
      await assert.rejects(tinyRun(folder, { text: withTeacher, backend, overrides: quick }), {
        name: "UserError",
        message:
          /^Cannot measure the teacher as its outputs for the examples 0 to \d+ are not finite numbers: its weights, or/,
      });
    }),
);

testBackends("a model that gives NaN for an example is not said to choose the first class", async (backend) => {
  const ops = createOps(backend);
  const model: Model = {
    parameters: [],
    config: {},
    forward: ({ batch }) => outputs(batch.logits),
    fromForeign: () => null,
  };
  const of = (bad: number) =>
    evaluate(ops, {
      model,
      weights: weightsFrom(new Map()),
      examples: {
        length: 7,
        labels: new Uint8Array(7),
        batch: (indices) => ({
          label: { data: new Float32Array(indices.length), shape: [indices.length] },
          logits: {
            data: Float32Array.from({ length: 2 * indices.length }, (_, i) => indices[i >> 1] === 4 ? bad : i % 2),
            shape: [indices.length, 2],
          },
        }),
      },
      input: imageData([1, 1, 1], ["no", "yes"]),
      batchSize: 3,
    });
  for (const bad of [NaN, Infinity, -Infinity]) {
    await assert.rejects(of(bad), {
      name: "UserError",
      message: /^Cannot measure the model as .* examples 3 to 5 are/,
    });
  }
  assert.equal((await of(1e30)).examples, 7);
  assert.equal(backend.memory().storages, 0);
});

// Of pictures that are all copies of one none can be held out.
const CASES: readonly [what: string, train: number, test: number, change: TinyChange, overrides: readonly string[]][] =
  [
    ["a batch larger than the data", 17, 1, {}, ["validation.count=1", "train.batchSize=1000"]],
    ["black pictures", 48, 4, { pixel: () => 0 }, ["validation=null"]],
    ["pictures of one constant", 48, 4, { pixel: () => 255 }, ["validation=null"]],
    ["a class without examples", 48, 4, { label: (label) => label === 1 ? 0 : label }, []],
    ["test examples of one class", 48, 1, {}, []],
    ["an optimiser that hardly moves", 48, 4, {}, ["train.optimiser.learningRate=1e-30"]],
  ];

for (const [what, train, test, change, overrides] of CASES) {
  testBackends(
    `${what}: a run has finite results, at the lowest and the highest temperature`,
    (backend) =>
      withData(train, test, change, async (folder) => {
        await writeWeights(join(folder, "teacher.safetensors"), (x) => x);
        const { student, teacher, losses } = await tinyRun(folder, {
          text: withTeacher,
          backend,
          overrides: ["validation.count=4", ...quick, ...overrides],
        });
        const numbers = [student, teacher!].flatMap(({ loss, metrics }) => [loss, ...Object.values(metrics)]);
        assert.ok([...numbers, ...Object.values(losses)].every(Number.isFinite), JSON.stringify([numbers, losses]));
      }),
  );
}

testBackends("one example of one class trains", (backend) =>
  withData(2, 1, { label: () => 0 }, async (folder) => {
    const { student, losses } = await tinyRun(folder, { backend, overrides: [...quick, "validation.count=1"] });
    assert.equal(student.accuracy, 1);
    assert.ok([student.loss, ...Object.values(losses)].every(Number.isFinite));
  }));

import assert from "node:assert/strict";
import { join } from "node:path";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { readSafetensors, toFloat32 } from "../../../core/safetensors.ts";
import { MPNET_FRAME, SPECIAL_TOKENS } from "../../../plugins/datasets/text/bert_tokenizer.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { halves, testBackends } from "../../support/backends.ts";
import { recorder } from "../../support/run_observers.ts";
import { tinyRun } from "../../support/tiny_run.ts";
import { type EncoderName, fixture } from "./bert_fixture.ts";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];

/** Writes the folder of a fixture, with a tokenizer, and some texts in four classes. */
async function withFolder(name: EncoderName, special: readonly string[], body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const model = join(folder, "model");
    await Deno.mkdir(model);
    await Deno.copyFile(fixture(`${name}.json`), join(model, "config.json"));
    await Deno.copyFile(fixture(`${name}.safetensors`), join(model, "model.safetensors"));
    const vocabulary = [...special, ...LETTERS].slice(0, 23);
    await Deno.writeTextFile(join(model, "vocab.txt"), vocabulary.join("\n") + "\n");
    const lines = Array.from(
      { length: 24 },
      (_, index) => `${LETTERS[index % 11]} ${LETTERS[index % 7]}\tc${index % 4}`,
    );
    for (const split of ["train", "test"]) {
      await Deno.writeTextFile(join(folder, `${split}.tsv`), `text\tlabel\n${lines.join("\n")}\n`);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const recipe = (rest: string) => `
name: variant
validation: { count: 8 }
dataset: { use: text-table, train: train.tsv, test: test.tsv, tokenizer: model, maxLength: 6 }
${rest}
train: { epochs: 1, maxSteps: 2, batchSize: 8, optimiser: { use: sgd, learningRate: 0.1 } }
`;

const distilled = (variant: string) =>
  recipe(`
teacher: { use: bert, weights: model, classes: [c0, c1, c2, c3] }
student:
  use: bert
  config: model
  layers: 1
  initialise: { from: teacher, layers: last }
  overParameterise: [{ layers: "${variant}.*.weight", cores: 3 }]
losses: [{ use: kd }, { use: tensor-alignment, weight: 0.1 }, { use: attention-mse }]`);

const tuned = (precision: string) =>
  recipe(`
student: { use: bert, weights: model, layers: 1, head: fresh, initialise: { from: weights, layers: last } }
losses: [{ use: cross-entropy }]`).replace("epochs: 1", `precision: ${precision}, epochs: 1`);

const VARIANTS = {
  electra: { special: SPECIAL_TOKENS, chains: 7, own: "electra.embeddings_project.weight" },
  mpnet: { special: MPNET_FRAME.special, chains: 6, own: "mpnet.encoder.relative_attention_bias.weight" },
} as const;

for (const [name, { special, chains, own }] of Object.entries(VARIANTS)) {
  const variant = name as keyof typeof VARIANTS;
  Deno.test(`${name}: a layer of the teacher starts a student in chains, and the folder is one of transformers'`, () =>
    withFolder(variant, special, async (folder) => {
      const { lines, reporter } = recorder();
      const run = await tinyRun(folder, { text: distilled(name), output: "distilled", reporter });
      assert.ok(lines.includes("the student's layers start as the teacher's 1"), lines.join("\n"));
      assert.equal(Object.keys(run.norms).length, chains);
      const saved = join(folder, "distilled", "student");
      const { model, input } = await readDescribedModel(saved, builtins.model);
      assert.equal(model.config.model_type, name);
      assert.equal(input.text!.padding, name === "mpnet" ? 1 : 0);
      const { tensors } = await readSafetensors(join(saved, "model.safetensors"));
      assert.deepEqual([...tensors.keys()].sort(), model.parameters.map(({ name }) => name).sort());
    }));

  testBackends(
    `${name}: a layer of the weights with a fresh head is fine-tuned, in float16 as well`,
    (backend) =>
      withFolder(variant, special, async (folder) => {
        const start = toFloat32((await readSafetensors(fixture(`${name}.safetensors`))).tensors.get(own)!);
        const losses: number[] = [];
        for (const precision of ["f32", "f16"]) {
          const { lines, reporter } = recorder();
          const run = await tinyRun(folder, { text: tuned(precision), output: precision, reporter, backend });
          assert.ok(
            lines.some((line) => line.startsWith("the student starts with a fresh classifier.out_proj.weight")),
          );
          losses.push(run.losses["cross-entropy"]);
          const { tensors } = await readSafetensors(join(folder, precision, "student", "model.safetensors"));
          const moved = toFloat32(tensors.get(own)!).map((value, index) => Math.abs(value - start[index]));
          const most = moved.reduce((most, value) => Math.max(most, value), 0);
          assert.ok(most > 1e-6 && most < 0.5, `${own} began as the weights' and was trained: it moved by ${most}`);
        }
        assert.notEqual(losses[0], losses[1], "it is another computation");
        assert.ok(Math.abs(losses[0] - losses[1]) < 0.01 * losses[0], `${losses}`);
      }),
    [halves[0]],
  );
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import "../../../core/deno/install.ts";
import { Random } from "../../../core/data/random.ts";
import { upload } from "../../../core/plugin/batch.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { freeze } from "../../../core/nn/frozen_weights.ts";
import { readModelFolder } from "../../../core/model_folder/read_folder.ts";
import { freshWeights } from "../../../core/plugin/parameters.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { readSafetensors, toFloat32, writeSafetensors } from "../../../core/safetensors.ts";
import { bert } from "../../../plugins/models/bert/bert.ts";
import { testBackends } from "../../support/backends.ts";
import { buildBert, textInput } from "./bert_fixture.ts";

const sizes = { layers: 1, width: 8, heads: 2, positions: 16, types: 0 };
const table = (variant: string) => `${variant}.embeddings.token_type_embeddings.weight`;

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Logits for two texts, the second in two segments. */
async function logitsOf(ops: Ops, model: Model, numbers: ReadonlyMap<string, Float32Array>): Promise<number[]> {
  const weights = freeze(ops, model, numbers);
  const tensor = (data: number[]) => ({ data: Float32Array.from(data), shape: [2, 4] });
  const batch = {
    tokens: tensor([2, 5, 6, 3, 2, 7, 8, 3]),
    types: tensor([0, 0, 0, 0, 0, 0, 1, 1]),
    mask: tensor([1, 1, 1, 0, 1, 1, 1, 1]),
  };
  const { logits } = model.forward({ ops, weights, batch: upload(ops, batch), training: false, randomSeed: () => 0 });
  const values = [...await logits.read()];
  weights.dispose();
  return values;
}

testBackends(
  "without segments, a model is saved with one of zeros and read with or without it, the same",
  (backend) =>
    inFolder(async (folder) => {
      const ops = createOps(backend);
      const data = textInput();
      for (const variant of ["bert", "roberta"]) {
        const model = buildBert({ ...sizes, variant }, data);
        const weights = freshWeights(model, new Random(4));
        await writeModelFolder(folder, "bert", model, data, weights);
        const { tensors } = await readSafetensors(join(folder, "model.safetensors"));
        const added = tensors.get(table(variant))!;
        assert.deepEqual([added.shape, [...toFloat32(added)]], [[1, 8], Array(8).fill(0)]);
        assert.equal(tensors.size, model.parameters.length + 1);
        assert.equal(model.config.type_vocab_size, 1);

        // By a recipe's types: 0, or as the config.json says.
        assert.deepEqual(await readModelWeights(folder, model, "teacher"), weights);
        const saved = await readModelFolder(folder, [bert], data);
        assert.equal(saved.model.parameters.length, model.parameters.length + 1);
        assert.deepEqual(saved.model.textInputs, ["tokens", "mask"]);
        const logits = await logitsOf(ops, model, weights);
        assert.deepEqual(await logitsOf(ops, saved.model, saved.weights), logits);
        assert.ok(logits.some((value) => Math.abs(value) > 1e-3));

        // The form of before: no table, and a config.json that says so.
        await writeSafetensors(
          join(folder, "model.safetensors"),
          new Map(model.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name)! }])),
        );
        await Deno.writeTextFile(
          join(folder, "config.json"),
          JSON.stringify({ ...model.config, type_vocab_size: 0 }),
        );
        const before = await readModelFolder(folder, [bert], data);
        assert.deepEqual([before.weights, before.model.parameters], [weights, model.parameters]);
      }
    }),
);

Deno.test("a segment that adds something is not left out; DistilBERT gets none", () =>
  inFolder(async (folder) => {
    const data = textInput();
    const one = buildBert({ ...sizes, types: 1 }, data);
    await writeModelFolder(folder, "bert", one, data, freshWeights(one, new Random(4)));
    await assert.rejects(() => readModelWeights(folder, buildBert(sizes, data), "teacher"), {
      name: "UserError",
      message: /of another model: 1 of its tensors have no place in this one: bert\.embeddings\.token_type_embeddings/,
    });
    const distilbert = buildBert({ ...sizes, variant: "distilbert" }, data);
    await writeModelFolder(folder, "bert", distilbert, data, freshWeights(distilbert, new Random(4)));
    const { tensors } = await readSafetensors(join(folder, "model.safetensors"));
    assert.deepEqual([...tensors.keys()].sort(), distilbert.parameters.map(({ name }) => name).sort());
    assert.equal(distilbert.config.type_vocab_size, undefined);
  }));

Deno.test("the shipped tagger without segments is read as it was saved", async () => {
  const folder = fileURLToPath(new URL("../../../plugins/models/data/phrases-bert", import.meta.url));
  const { labels, input } = JSON.parse(await Deno.readTextFile(join(folder, "config.json")));
  const data = { ...textInput("tagging", input), classes: labels };
  const { model, weights } = await readModelFolder(folder, [bert], data);
  const { tensors } = await readSafetensors(join(folder, "model.safetensors"));
  assert.ok(!tensors.has(table("bert")));
  assert.deepEqual([...weights.keys()], model.parameters.map(({ name }) => name));
  for (const [name, values] of weights) assert.deepEqual(values, toFloat32(tensors.get(name)!), name);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { readModelFolder } from "../../../core/model_folder/read_folder.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { familyOf } from "../../../core/plugin/saved_options.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { readSafetensors, type TensorToStore, toFloat32, writeSafetensors } from "../../../core/safetensors.ts";
import { bert } from "../../../plugins/models/bert/bert.ts";
import {
  buildBert,
  buildEncoder,
  type EncoderName,
  encoders,
  fixture,
  inputOf,
  optionsOf,
  textInput,
} from "./bert_fixture.ts";

const names = Object.keys(encoders) as EncoderName[];

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const FAMILIES: Readonly<Record<string, string>> = {
  distilbert: "DistilBert",
  roberta: "Roberta",
  electra: "Electra",
  mpnet: "MPNet",
};

/** The fixture's tensors, renamed. */
async function stored(name: EncoderName, rename = (key: string) => key): Promise<Map<string, TensorToStore>> {
  const { tensors } = await readSafetensors(fixture(`${name}.safetensors`));
  return new Map([...tensors].map(([key, tensor]) => [rename(key), { shape: tensor.shape, data: toFloat32(tensor) }]));
}

for (const name of names) {
  Deno.test(`${name}: its config.json is Hugging Face's, and builds the same model again`, async () => {
    const model = await buildEncoder(name);
    const given = JSON.parse(await Deno.readTextFile(fixture(`${name}.json`)));
    for (const [key, value] of Object.entries(given)) assert.deepEqual(model.config[key], value, key);
    const again = bert.build(bert.fromConfig!(model.config, optionsOf({})), inputOf(name));
    assert.deepEqual(again.config, model.config);
    assert.deepEqual(again.parameters, model.parameters);
    const kind = encoders[name] === "tagging" ? "Token" : "Sequence";
    const family = FAMILIES[name.split("-")[0]] ?? "Bert";
    assert.deepEqual(model.config.architectures, [`${family}For${kind}Classification`]);
    const labels = encoders[name] === "regression" ? ["LABEL_0"] : ["class 0", "class 1", "class 2", "class 3"];
    assert.deepEqual(Object.values(model.config.id2label as object), labels);
  });

  Deno.test(`${name}: a folder that is written is read again with every number`, () =>
    inFolder(async (folder) => {
      const model = await buildEncoder(name);
      const weights = await readModelWeights(fixture(`${name}.safetensors`), model, "student");
      const data = inputOf(name, { files: { "vocab.txt": new TextEncoder().encode("[PAD]\n") } });
      await writeModelFolder(folder, "bert", model, data, weights);
      assert.equal(await Deno.readTextFile(join(folder, "vocab.txt")), "[PAD]\n");
      const saved = await readModelFolder(folder, [bert], data);
      assert.deepEqual(saved.model.config, model.config);
      assert.deepEqual(saved.weights, weights);
      // Every tensor of the file has the name that transformers gives it.
      const { tensors } = await readSafetensors(join(folder, "model.safetensors"));
      assert.deepEqual([...tensors.keys()].sort(), [...(await stored(name)).keys()].sort());
    }));
}

Deno.test("a folder of Hugging Face's is read as it is", () =>
  inFolder(async (folder) => {
    await Deno.copyFile(fixture("distilbert.json"), join(folder, "config.json"));
    await Deno.copyFile(fixture("distilbert.safetensors"), join(folder, "model.safetensors"));
    const { architecture, weights } = await readModelFolder(folder, [bert], textInput());
    assert.equal(architecture, "bert");
    const expected = await readModelWeights(
      fixture("distilbert.safetensors"),
      await buildEncoder("distilbert"),
      "model",
    );
    assert.deepEqual(weights, expected);
    await Deno.writeTextFile(join(folder, "config.json"), '{ "model_type": "gpt2" }');
    await assert.rejects(() => readModelFolder(folder, [bert], textInput()), {
      name: "UserError",
      message: /^Cannot build the model in ".*config\.json": Cannot build a model of type "gpt2"/,
    });
  }));

Deno.test("the classes in another order than the data set's are refused, other names are not", () => {
  const build = (...labels: string[]) => {
    const id2label = Object.fromEntries(labels.map((label, index) => [index, label]));
    const config = { model_type: "bert", num_hidden_layers: 1, hidden_size: 8, num_attention_heads: 2, id2label };
    return bert.build(bert.fromConfig!(config, optionsOf({})), { ...textInput(), classes: ["no", "maybe", "yes"] });
  };
  assert.throws(() => build("yes", "maybe", "no"), {
    name: "UserError",
    message: "Cannot run a model whose classes are yes, maybe and no in this order, on a data set in which they are " +
      "no, maybe and yes: expected the same order",
  });
  assert.throws(() => build("YES", "Maybe", "NO"), { message: /whose classes are YES, Maybe and NO in this order/ });
  assert.deepEqual(build("LABEL_0", "LABEL_1", "LABEL_2").config.id2label, { 0: "no", 1: "maybe", 2: "yes" });
  build("no", "maybe", "yes");
});

Deno.test("options in a recipe count more than the config.json", async () => {
  const model = await buildEncoder("bert", { layers: 1, dropout: 0.3 });
  assert.equal(model.layerPrefixes!.length, 1);
  assert.equal(model.config.hidden_dropout_prob, 0.3);
  assert.equal(model.config.hidden_size, 12);
});

Deno.test("old names, bare encoders, other prefixes and heads of pre-training are understood", async () => {
  const model = await buildEncoder("bert");
  const expected = await readModelWeights(fixture("bert.safetensors"), model, "teacher");
  const renamings: ((key: string) => string)[] = [
    (key) => key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
    (key) => `module.${key}`,
    (key) => `_orig_mod.module.${key}`,
    (key) => `module._orig_mod.${key}`,
    (key) => key.replace("encoder.layer.1.", "encoder.layer.1._orig_mod."),
    (key) => key.replace(/^bert\./, ""),
  ];
  await inFolder(async (folder) => {
    for (const rename of renamings) {
      const tensors = await stored("bert", rename);
      for (const extra of ["bert.embeddings.position_ids", "cls.predictions.bias", "cls.seq_relationship.weight"]) {
        tensors.set(extra, { shape: [2], data: new Float32Array(2) });
      }
      await writeSafetensors(join(folder, "model.safetensors"), tensors);
      assert.deepEqual(await readModelWeights(folder, model, "teacher"), expected);
    }
  });
  // A tagger has no pooler; a file that was trained with one is read without it.
  assert.equal((await buildEncoder("tagger")).fromForeign("bert.pooler.dense.bias"), null);
  assert.equal((await buildEncoder("roberta")).fromForeign("lm_head.dense.weight"), null);
  assert.equal((await buildEncoder("distilbert")).fromForeign("vocab_transform.weight"), null);
  const electra = await buildEncoder("electra");
  assert.equal(electra.fromForeign("discriminator_predictions.dense.weight"), null);
  assert.equal(electra.fromForeign("generator_lm_head.bias"), null);
  assert.equal(electra.fromForeign("embeddings_project.bias"), "electra.embeddings_project.bias");
  const mpnet = await buildEncoder("mpnet");
  assert.equal(mpnet.fromForeign("pooler.dense.weight"), null);
  assert.equal(
    mpnet.fromForeign("encoder.relative_attention_bias.weight"),
    "mpnet.encoder.relative_attention_bias.weight",
  );
});

Deno.test("tensors that are missing, too many or of another shape are named", () =>
  inFolder(async (folder) => {
    const refused = async (change: (tensors: Map<string, TensorToStore>) => void, message: RegExp) => {
      const tensors = await stored("bert");
      change(tensors);
      await writeSafetensors(join(folder, "model.safetensors"), tensors);
      const model = await buildEncoder("bert");
      await assert.rejects(readModelWeights(folder, model, "teacher"), { name: "UserError", message });
    };
    await refused(
      (tensors) => void tensors.delete("bert.encoder.layer.1.output.dense.bias"),
      /lacks 1 of 41 tensors: bert\.encoder\.layer\.1\.output\.dense\.bias$/,
    );
    await refused(
      (tensors) => void tensors.set("bert.encoder.layer.2.output.dense.bias", tensors.get("bert.pooler.dense.bias")!),
      /of another model: 1 of its tensors have no place in this one: bert\.encoder\.layer\.2\.output\.dense\.bias$/,
    );
    await refused(
      (tensors) => void tensors.set("classifier.bias", { shape: [3], data: new Float32Array(3) }),
      /shapes differ: classifier\.bias is \[3\], expected \[4\]$/,
    );
  }));

Deno.test("sizes that do not fit each other or the text are refused in one sentence", () => {
  const refused = (options: Record<string, unknown>, data: ReturnType<typeof textInput>, message: RegExp) =>
    assert.throws(() => buildBert(options, data), { name: "UserError", message });
  const sizes = { layers: 2, width: 8, heads: 2 };
  refused({}, textInput(), /^Cannot build an encoder of unknown size: expected layers and width, or weights/);
  refused({ ...sizes, heads: 3 }, textInput(), /^Cannot divide a width of 8 among 3 heads/);
  refused({ ...sizes, vocabulary: 22 }, textInput(), /^Cannot embed 23 different tokens in 22 rows/);
  refused({ ...sizes, positions: 6 }, textInput(), /^Cannot take 7 tokens as the encoder has positions for 6/);
  refused({ ...sizes, variant: "roberta", positions: 8 }, textInput("classification", { padding: 1 }), /for 6/);
  const distilbert = { ...sizes, variant: "distilbert" };
  refused({ ...distilbert, types: 2 }, textInput(), /^Cannot build a DistilBERT of 2 segments and epsilon 1e-12: /);
  refused(
    { ...distilbert, epsilon: 1e-5 },
    textInput(),
    /^Cannot build a DistilBERT of 0 segments and epsilon 0.00001: /,
  );
  refused(
    { ...sizes, embeddingWidth: 4 },
    textInput(),
    /^Cannot build a bert of width 8 with embeddings of 4: they are as wide, but for variant electra$/,
  );
  const mpnet = { ...sizes, variant: "mpnet" };
  refused(
    { ...mpnet, types: 1 },
    textInput("classification", { padding: 1 }),
    /^Cannot build an MPNet of 1 segments: /,
  );
  // In transformers a BERT tokenizer's token 1, which stands for unknown words, would have no position.
  for (const options of [mpnet, { ...mpnet, padding: 1 }]) {
    refused(
      options,
      textInput(),
      /^Cannot build an MPNet for a tokenizer whose padding is the token 0: its positions leav/,
    );
  }
  const one = textInput("classification", { padding: 1 });
  refused({ ...mpnet, padding: 0 }, one, /^Cannot build an MPNet for a tokenizer whose padding is the token 0: /);
  refused(sizes, { ...textInput(), text: null as never }, /^Cannot build a text encoder for a data set without text$/);
  assert.throws(() => bert.options(optionKit).parse({ width: 8, depth: 2 }));
});

Deno.test("configs of models that compute otherwise are refused in one sentence", () => {
  const refused = (change: Record<string, unknown>, message: RegExp) =>
    assert.throws(() => bert.fromConfig!({ model_type: "bert", hidden_size: 8, ...change }, optionsOf({})), {
      name: "UserError",
      message,
    });
  refused({ model_type: "xlm" }, /^Cannot build a model of type "xlm" as an encoder: expected one of bert, /);
  for (const [type, why] of Object.entries({ albert: "its layers share", "deberta-v2": "its att", t5: "it writes" })) {
    refused(
      { model_type: type },
      new RegExp(`^Cannot build a model of type "${type}" as an encoder, as ${why}.*: expect`),
    );
    assert.throws(() => familyOf({ model_type: type }, [bert]), {
      name: "UserError",
      message: new RegExp(
        `^Cannot build a model of type "${type}", as ${why}.*: expected one of bert, .*, electra, mpnet$`,
      ),
    });
  }
  refused({ hidden_act: "silu" }, /^Cannot compute hidden_act "silu": expected one of gelu, /);
  refused({ position_embedding_type: "relative_key" }, /^Cannot build position_embedding_type "relative_key"/);
  for (const value of [0, -1, 2.5, 1e9, 2 ** 53, [8], {}, true]) {
    refused({ hidden_size: value }, /^Cannot read hidden_size/);
  }
  for (const value of [0, 1001, 6000002, 1.5, "NaN"]) {
    refused({ num_hidden_layers: value }, /^Cannot read num_hidden_l/);
  }
  for (const value of [1, -0.1, "0"]) {
    refused({ hidden_dropout_prob: value }, /expected a number from 0 to below 1, got/);
  }
  for (const value of [0, -1e-5, "1e-5", 2]) {
    refused({ layer_norm_eps: value }, /expected a number above 0, up to 1, got/);
  }
  refused({ pad_token_id: -1 }, /^Cannot read pad_token_id of the config: expected a whole number from 0 to 16777216/);
  for (const id2label of [{ a: "x", b: "y" }, { 0: "x", 2: "y" }, { 0: "x", 1: null }, { 0: {} }, ["x", []], "x", 3]) {
    refused({ id2label }, /^Cannot read id2label of the config: expected a name for each number from 0 on, got /);
  }
  refused({ relative_attention_num_buckets: 16 }, /^Cannot build relative_attention_num_buckets 16: expected 32, as/);
  refused({ is_decoder: true }, /^Cannot build a model with is_decoder: expected an encoder$/);
  refused(
    { hidden_size: "8" },
    /^Cannot read hidden_size of the config: expected a whole number from 1 to 65536, got "8"$/,
  );
});

Deno.test("an ELECTRA whose config says nothing of it has embeddings of 128, one in a recipe those of its width", () => {
  const shapeOf = (model: Model) => model.parameters[0].shape;
  const config = { model_type: "electra", hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 };
  assert.deepEqual(shapeOf(bert.build(bert.fromConfig!(config, optionsOf({})), textInput())), [23, 128]);
  const own = buildBert({ variant: "electra", width: 8, layers: 1, heads: 2 });
  assert.deepEqual(shapeOf(own), [23, 8]);
  assert.equal(own.config.embedding_size, 8);
  assert.ok(!own.parameters.some(({ name }) => name.includes("embeddings_project")));
});

Deno.test("the positions of an MPNet begin behind the padding, also where its config does not say which that is", async () => {
  await inFolder(async (folder) => {
    const { pad_token_id: _, ...config } = JSON.parse(await Deno.readTextFile(fixture("mpnet.json")));
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(config));
    const { input } = await readDescribedModel(folder, [bert]);
    assert.deepEqual([input.text!.padding, input.text!.maxLength], [1, 7]);
  });
});

Deno.test("BERT-base, DistilBERT and RoBERTa-base have the known numbers of parameters", () => {
  const count = (options: Record<string, unknown>, vocabulary: number, classes = 2) =>
    buildBert({ width: 768, ...options }, textInput("classification", { vocabulary }, classes)).parameters
      .reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent), 0);
  assert.equal(count({ layers: 12 }, 30522), 109_483_778);
  assert.equal(count({ layers: 6, variant: "distilbert" }, 30522), 66_955_010);
  assert.equal(count({ layers: 12, variant: "roberta" }, 50265), 124_647_170);
  const small = { layers: 12, width: 256, heads: 4, variant: "electra", embeddingWidth: 128 };
  assert.equal(count(small, 30522), 13_549_314);
});

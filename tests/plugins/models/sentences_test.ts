import assert from "node:assert/strict";
import { join } from "node:path";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { upload } from "../../../core/plugin/batch.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { bert } from "../../../plugins/models/bert/bert.ts";
import { openModel } from "../../../plugins/open_model.ts";
import expected from "../../fixtures/sentences/expected.json" with { type: "json" };
import { cpu, testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import { CHECKOUT } from "../../support/task.ts";
import { buildBert, optionsOf, textInput } from "./bert_fixture.ts";

const FOLDERS = join(CHECKOUT, "tests/fixtures/sentences");
const { texts } = expected;

testBackends("folders of sentence-transformers give its vectors, cut where it cuts texts", async (backend) => {
  for (const name of ["mean", "cls"] as const) {
    using model = await openModel(join(FOLDERS, name), { backend });
    assert.equal(model.input.task, "embedding");
    const vectors = await model.embed({ texts }, { batchSize: 3 });
    assert.equal(vectors.length, texts.length);
    vectors.forEach((vector, index) => assertClose(vector, expected[name][index], 1e-5, `${name} ${index}`));
  }
});

testBackends("the gradient of vectors is PyTorch's, through the mean and the length", async (backend) => {
  using opened = await openModel(join(FOLDERS, "mean"), { backend });
  const { ops, model, weights } = opened;
  const norm = weights.get("bert.encoder.layer.1.output.LayerNorm.weight");
  const batch = upload(ops, opened.batch({ texts }));
  const { gradients } = ops.differentiate(() => {
    const { pooled } = model.forward({ ops, weights, batch, training: false, randomSeed: () => 0 });
    const factors = Float32Array.from({ length: pooled.size }, (_, index) => Math.cos(index));
    return ops.sum(ops.multiply(pooled, ops.tensor(factors, pooled.shape)));
  }, [norm]);
  assertClose(await gradients[0]!.read(), expected.gradient, 1e-5);
  assert.deepEqual(model.head, []);
}, [cpu]);

/** A copy of a fixture's folder, some files of it others (or gone). */
async function withFolder(
  name: string,
  files: Readonly<Record<string, string | null>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "1_Pooling"));
    const all = ["config.json", "model.safetensors", "tokenizer.json", "modules.json", "1_Pooling/config.json"];
    for (const file of all) await Deno.copyFile(join(FOLDERS, name, file), join(folder, file));
    for (const [file, text] of Object.entries(files)) {
      if (text === null) await Deno.remove(join(folder, file));
      else await Deno.writeTextFile(join(folder, file), text);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const modules = (...kinds: string[]) =>
  JSON.stringify(kinds.map((kind, idx) => ({ idx, path: idx ? `${idx}_${kind}` : "", type: `x.${kind}` })));

const lowers = { "sentence_bert_config.json": `{"do_lower_case": true}` };

const prompts = (name: string | null) => ({
  "config_sentence_transformers.json": JSON.stringify({
    prompts: { query: "query: ", document: "" },
    default_prompt_name: name,
  }),
});

Deno.test("prompts that are not put before every text, and lower case by the tokenizer, change nothing", async () => {
  const fine = [prompts(null), prompts("document"), { ...lowers, "tokenizer_config.json": `{"do_lower_case": true}` }];
  for (const files of fine) {
    await withFolder("mean", files, async (folder) => {
      assert.equal((await readDescribedModel(folder, builtins.model)).input.task, "embedding");
    });
  }
});

Deno.test("what a folder says that is not done is refused by name", async () => {
  const refused: [files: Record<string, string | null>, message: RegExp][] = [
    [{ "1_Pooling/config.json": `{"pooling_mode": "max"}` }, /by max: expected .* mean or cls/],
    [{ "1_Pooling/config.json": `{"pooling_mode": ["mean", "cls"]}` }, /by mean and cls: /],
    [{ "1_Pooling/config.json": `{"pooling_mode_lasttoken": true}` }, /by lasttoken: /],
    [{ "1_Pooling/config.json": null }, /config\.json" how the model pools: there is no such file/],
    [{ "modules.json": modules("Transformer") }, /by none: /],
    [{ "modules.json": modules("Transformer", "Pooling", "Dense") }, /by Dense: /],
    [{ "modules.json": modules("Transformer", "Pooling").replace("1_Pooling", "../x") }, /got "\.\.\/x"/],
    [{ "modules.json": "[1" }, /modules\.json" as it is no JSON/],
    [{ "modules.json": "{}" }, /as a list of modules/],
    [{ "sentence_bert_config.json": `{"max_seq_length": 0}` }, /max_seq_length of .* got 0/],
    [
      { ...lowers, "tokenizer_config.json": "{}" },
      /of texts in lower case \(do_lower_case of sentence_bert_config\.json\): /,
    ],
    [prompts("query"), /with "query: " before each \(default_prompt_name of config_sentence_transformers\.json\): /],
  ];
  for (const [files, message] of refused) {
    await withFolder("mean", files, async (folder) => {
      await assert.rejects(readDescribedModel(folder, builtins.model), { name: "UserError", message });
    });
  }
});

testBackends(
  "a saved model of vectors is sentence-transformers' folder, and gives the same vectors",
  async (backend) => {
    const folder = await Deno.makeTempDir();
    try {
      const ops = createOps(backend);
      for (const normalise of [true, false]) {
        const { input } = await readDescribedModel(join(FOLDERS, "mean"), builtins.model);
        const config = JSON.parse(await Deno.readTextFile(join(FOLDERS, "mean/config.json")));
        const options = bert.fromConfig!(config, optionsOf({ pooling: "mean", normalise }));
        const model = bert.build(options, input);
        const numbers = await readModelWeights(join(FOLDERS, "mean"), model, "student");
        const files = { "tokenizer.json": await Deno.readFile(join(FOLDERS, "mean/tokenizer.json")) };
        const data = { ...input, text: { ...input.text!, files } };
        const to = join(folder, String(normalise));
        await writeModelFolder(to, "bert", model, data, numbers);
        const saved = JSON.parse(await Deno.readTextFile(join(to, "config.json")));
        assert.deepEqual([saved.architectures, saved.task, saved.labels], [["BertModel"], "embedding", []]);
        assert.ok(!("id2label" in saved) && !("problem_type" in saved));
        const list = JSON.parse(await Deno.readTextFile(join(to, "modules.json")));
        assert.deepEqual(
          list.map(({ type, path }: Record<string, string>) => [type.split(".").at(-1), path]),
          [["Transformer", ""], ["Pooling", "1_Pooling"], ...(normalise ? [["Normalize", "2_Normalize"]] : [])],
        );
        const pooling = JSON.parse(await Deno.readTextFile(join(to, "1_Pooling/config.json")));
        assert.deepEqual(
          [pooling.pooling_mode_mean_tokens, pooling.pooling_mode_cls_token, pooling.word_embedding_dimension],
          [true, false, 8],
        );
        const length = JSON.parse(await Deno.readTextFile(join(to, "sentence_bert_config.json")));
        assert.equal(length.max_seq_length, 12);
        using again = await openModel(to, { ops });
        const [first] = await again.embed({ texts });
        const size = Math.hypot(...first);
        if (normalise) assertClose(first, expected.mean[0], 1e-5);
        else assertClose(first.map((number) => number / size), expected.mean[0], 1e-5);
        assert.equal(Math.abs(size - 1) < 1e-5, normalise);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  [cpu],
);

Deno.test("names in the file are those of Hugging Face's bare encoder", async () => {
  const { model } = await readDescribedModel(join(FOLDERS, "mean"), builtins.model);
  const own = new Map(model.parameters.map(({ name, shape }) => [name, { shape, numbers: () => new Float32Array(0) }]));
  const names = [...model.toFile!(own).keys()];
  assert.ok(names.includes("embeddings.word_embeddings.weight"));
  assert.ok(names.includes("encoder.layer.1.output.LayerNorm.weight"));
  assert.deepEqual(names.map((name) => model.fromForeign(name)), [...own.keys()]);
  assert.ok(!names.some((name) => /pooler|classifier/.test(name)), "there is no head");
});

Deno.test("pooling is of vectors alone, and a pair has none", async () => {
  assert.throws(() => buildBert({ layers: 1, width: 8, pooling: "cls" }), {
    name: "UserError",
    message: "Cannot use pooling for classification: it is for vectors of sentences, task: embedding",
  });
  const saved = { pooling: "max", normalise: true, maxLength: null, change: null };
  const classifier = bert.build({ ...optionsOf({ layers: 1, width: 8 }), saved }, textInput());
  assert.ok(classifier.head!.includes("classifier.weight"), "of a model for classes the folder's modules say nothing");
  const data = { ...textInput("embedding"), classes: [] };
  assert.throws(() => buildBert({ layers: 1, width: 8, crf: true }, data), { message: /CRF behind embedding/ });
  const backend = await cpu.open();
  {
    using model = await openModel(join(FOLDERS, "cls"), { backend });
    await assert.rejects(model.embed({ texts: [["a", "b"]] }), {
      message: /a vector of a pair: each of the two texts/,
    });
    await assert.rejects(model.predict({ texts }), { message: /it makes vectors: use embed\({ texts }\)/ });
  }
  await backend.close();
});

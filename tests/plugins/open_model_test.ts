import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { evaluate } from "../../core/evaluate/evaluate.ts";
import { infer } from "../../core/evaluate/predictions.ts";
import { readUserFile } from "../../core/files.ts";
import { createOps } from "../../core/ops/ops.ts";
import { uploadBatch } from "../../core/plugin/batch.ts";
import type { Dataset } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { readSafetensors, toFloat32 } from "../../core/safetensors.ts";
import { builtins } from "../../plugins/builtins.ts";
import { parseConll } from "../../plugins/datasets/text/conll_format.ts";
import { openModel } from "../../plugins/open_model.ts";
import { cpu, testBackends } from "../support/backends.ts";
import { assertClose } from "../support/numbers.ts";
import { CHECKOUT } from "../support/task.ts";
import { tinyRun, withTinyData } from "../support/tiny_run.ts";

const MODELS = join(CHECKOUT, "plugins/models/data");
const DATA = join(CHECKOUT, "plugins/datasets/data");
const FIXTURES = join(CHECKOUT, "tests/fixtures");

async function load(name: string, options: Record<string, unknown>): Promise<Dataset> {
  const definition = builtins.dataset.find((known) => known.name === name)!;
  return await definition.load(definition.options(optionKit).parse(options), {
    readFile: (file, what) => readUserFile(String(file), what),
    readFolder: () => Promise.reject(new Error("no folders")),
    openFolder: () => Promise.reject(new Error("no folders")),
    noteInput: () => Promise.resolve(),
    random: new Random(1),
  });
}

const firstOf = (count: number) => Uint32Array.from({ length: count }, (_, index) => index);

/** A folder as Hugging Face's transformers writes it, of one of the fixtures. */
async function withFolder(
  fixture: string,
  config: Record<string, unknown>,
  files: Record<string, string>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const own = JSON.parse(await Deno.readTextFile(join(FIXTURES, `${fixture}.json`)));
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ ...own, ...config }));
    await Deno.copyFile(join(FIXTURES, `${fixture}.safetensors`), join(folder, "model.safetensors"));
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function expected(fixture: string) {
  const { tensors } = await readSafetensors(join(FIXTURES, `${fixture}.expected.safetensors`));
  return (name: string) => ({ data: toFloat32(tensors.get(name)!), shape: tensors.get(name)!.shape });
}

const id2label = { 0: "north", 1: "east", 2: "south", 3: "west" };

testBackends("a student's folder answers images as its run did, and holds nothing afterwards", async (backend) => {
  await withTinyData(async (folder) => {
    const summary = await tinyRun(folder, { backend, overrides: ["train.epochs=1"] });
    const before = backend.memory();
    {
      using model = await openModel(join(folder, "run/student"), { backend });
      const pixels = (await Deno.readFile(join(folder, "test-images"))).subarray(16);
      const names = { images: "test-images", labels: "test-labels" };
      const files = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, join(folder, name)]));
      const { normalise: { mean, std } } = model.input.image!;
      const data = await load("idx", { train: files, test: files, mean, std, classes: [...model.input.classes] });
      const ops = createOps(backend);
      const examples = data.splits.test;
      const batch = uploadBatch(ops, examples, firstOf(24));
      const direct = ops.scope(() => infer(ops, model.model, model.weights, batch).logits);
      const { logits, classes, labels } = await model.predict({ images: pixels, size: [8, 8, 1] }, { batchSize: 24 });
      assert.deepEqual(logits.flatMap((row) => [...row]), [...await direct.read()]);
      const right = classes.filter((index, example) => index === examples.labels![example]).length;
      assert.equal(right / 24, summary.student.accuracy);
      assert.deepEqual(labels, classes.map((index) => model.input.classes[index]));
      const call = { model: model.model, weights: model.weights, examples, input: data.input, batchSize: 24 };
      assert.equal((await evaluate(ops, call)).accuracy, summary.student.accuracy);

      const floats = Float32Array.from(pixels, (pixel) => pixel / 255);
      const apart = await model.predict({ images: floats }, { batchSize: 7 });
      assertClose(apart.logits.flatMap((row) => [...row]), logits.flatMap((row) => [...row]), 1e-4);
      for (const tensor of [direct, ...Object.values(batch)]) tensor.dispose();
      model.ops.scope(() => assert.deepEqual(model.outputs({ images: pixels }).pooled.shape, [24, 16]));
    }
    assert.equal(backend.memory().bytes, before.bytes);
  });
}, [cpu]);

testBackends("a tagger's words have the logits and tags that its data set gives them", async (backend) => {
  const ops = createOps(backend);
  const folder = join(MODELS, "phrases-bert");
  using model = await openModel(folder, { ops });
  const [train, file] = ["train", "test"].map((split) => join(DATA, `speech-phrases/${split}.conll`));
  const sentences = parseConll(await Deno.readTextFile(file), file, { word: 0, tag: -1 }).slice(0, 5);
  const classes = [...model.input.classes];
  const { splits: { test } } = await load("conll", { train, test: file, classes, tokenizer: folder });
  const host = test.batch(firstOf(5));
  const outputs = infer(ops, model.model, model.weights, uploadBatch(ops, test, firstOf(5)));
  const [logits, predictions] = [await outputs.logits.read(), await outputs.predictions!.read()];
  const scored = [...host.label.data.keys()].filter((place) => host.label.data[place] >= 0);
  const tagged = await model.tag({ words: sentences.map(({ words }) => words) });
  assert.deepEqual(tagged.map(({ labels }) => labels.length), sentences.map(({ words }) => words.length));
  assert.deepEqual(tagged.flatMap((sentence) => sentence.classes), scored.map((place) => predictions[place]));
  const rows = scored.flatMap((place) => [...logits.subarray(place * classes.length, (place + 1) * classes.length)]);
  assert.deepEqual(tagged.flatMap((sentence) => sentence.logits.flatMap((row) => [...row])), rows);
  assert.equal(tagged[0].labels[0], classes[tagged[0].classes[0]]);
  const hidden = model.outputs({ words: [["We", "hold", "these", "truths"]] }).hidden;
  assert.deepEqual(hidden.map(({ shape }) => shape), [[1, 16, 96], [1, 16, 96], [1, 16, 96]]);
}, [cpu]);

testBackends(
  "a Hugging Face folder of images gives transformers' logits, and normalises as it says",
  async (backend) => {
    const golden = await expected("vit/vit");
    const processor = { image_mean: [0.1, 0.2, 0.3], image_std: [0.5, 0.6, 0.7] };
    const files = { "preprocessor_config.json": JSON.stringify(processor) };
    await withFolder("vit/vit", { id2label }, files, async (folder) => {
      const ops = createOps(backend);
      using model = await openModel(folder, { ops });
      const image = golden("image");
      assertClose(
        await model.outputs({ image: ops.tensor(image.data, image.shape) }).logits.read(),
        golden("logits").data,
        1e-4,
      );
      const pixels = Uint8Array.from({ length: 9 * 6 * 3 }, (_, place) => place);
      const [{ data }] = [model.batch({ images: pixels }).image];
      const { image_mean: mean, image_std: std } = processor;
      assertClose(data, [...pixels].map((pixel, place) => (pixel / 255 - mean[place % 3]) / std[place % 3]), 1e-5);
      const { labels, classes } = await model.predict({ images: new Uint8ClampedArray(pixels) });
      assert.deepEqual(labels, [Object.values(id2label)[classes[0]]]);
    });
    const raw = { do_rescale: false, do_normalize: false };
    await withFolder("vit/vit", { id2label }, { "preprocessor_config.json": JSON.stringify(raw) }, async (folder) => {
      using model = await openModel(folder, { backend });
      assertClose(
        model.batch({ images: new Uint8Array(9 * 6 * 3).fill(51) }).image.data,
        Array(9 * 6 * 3).fill(51),
        1e-5,
      );
    });
  },
  [cpu],
);

const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ..."abcdefghijklmnopqrs"].join("\n");

testBackends("a Hugging Face folder of texts takes texts and pairs by its own tokenizer", async (backend) => {
  const golden = await expected("bert/bert");
  await withFolder("bert/bert", { id2label }, { "vocab.txt": vocabulary }, async (folder) => {
    const ops = createOps(backend);
    using model = await openModel(folder, { ops });
    const batch = Object.fromEntries(["tokens", "types", "mask"].map((name) => {
      const { data, shape } = golden(name);
      return [name, ops.tensor(data, shape)];
    }));
    const logits = model.outputs(batch).logits;
    assertClose(await logits.read(), golden("logits").data, 1e-4);
    const single = model.batch({ texts: ["A c", ["b", "d"]] });
    assert.deepEqual([...single.tokens.data], [2, 4, 6, 3, 0, 0, 0, 0, 2, 5, 3, 7, 3, 0, 0, 0]);
    assert.deepEqual([...single.types.data.subarray(8)], [0, 0, 0, 1, 1, 0, 0, 0]);
    const both = await model.predict({ texts: ["a c", ["b", "d"]] });
    const alone = await model.predict({ texts: [["b", "d"]] }, { batchSize: 1 });
    assertClose(both.logits[1], [...alone.logits[0]], 1e-5);
    assert.equal(both.labels[1], alone.labels[0]);
    // Nine positions are all there are.
    assert.deepEqual(model.batch({ texts: ["a b c d e f g h i j k"] }).tokens.shape, [1, 9]);
    assert.deepEqual(await model.predict({ texts: [] }), {
      ...{ logits: [], classes: [], labels: [], labelSets: [], cut: [] },
    });
    const long = ["a", "a b c d e f g h i j k", ["a b c d e", "f g h i j k"], "b"] as const;
    assert.deepEqual((await model.predict({ texts: long }, { batchSize: 2 })).cut, [1, 2]);
  });
  await withFolder("bert/regression", { problem_type: "regression", id2label: { 0: "x" } }, {
    "vocab.txt": vocabulary,
  }, async (folder) => {
    using model = await openModel(folder, { backend });
    const { logits, labels } = await model.predict({ texts: ["a", "b"] });
    assert.deepEqual([logits.map(({ length }) => length), labels], [[1, 1], []]);
  });
}, [cpu]);

testBackends("what does not fit a model is refused in a sentence", async (backend) => {
  const before = backend.memory();
  const refused = (body: () => unknown, message: string | RegExp) =>
    assert.rejects(async () => await body(), { name: "UserError", message });
  {
    const path = join(MODELS, "fashion-resnet20");
    using images = await openModel(path, { backend });
    const takes = "it takes images of 28 x 28 x 1 (height, width, channels), 784 numbers each";
    await refused(
      () => images.predict({ images: new Uint8Array(100) }),
      `Cannot run the model on 100 numbers: ${takes}`,
    );
    await refused(
      () => images.predict({ images: new Uint8Array(784), size: [14, 56, 1] }),
      `Cannot run the model on images of 14 x 56 x 1: ${takes}`,
    );
    await refused(
      () => images.predict({ images: new Float32Array(784).fill(200) }),
      "Cannot use 200 as a pixel: floats go from 0 to 1, and bytes (Uint8Array) from 0 to 255",
    );
    await refused(
      () => images.predict({ texts: ["x"] }),
      `Cannot run the model in "${path}" on texts: it takes images`,
    );
    await refused(
      () => images.tag({ words: [["x"]] }),
      `Cannot run the model in "${path}" to tag words: its task is classification: use predict`,
    );
    const tags = join(MODELS, "phrases-bert");
    using tagger = await openModel(tags, { backend });
    await refused(
      () => tagger.predict({ texts: ["x"] }),
      `Cannot run the model in "${tags}" to predict a class for each text: it tags words: use tag({ words })`,
    );
    using mails = await openModel(join(MODELS, "mail-bert4"), { backend });
    await refused(() => mails.predict({ images: new Uint8Array(4) }), /on images: it takes texts$/);
  }
  await withFolder("bert/bert", { id2label }, {}, async (folder) => {
    using model = await openModel(folder, { backend });
    await refused(
      () => model.predict({ texts: ["a"] }),
      `Cannot read texts for the model in "${folder}" as there is no tokenizer: expected tokenizer.json or vocab.txt`,
    );
  });
  await withFolder("bert/bert", { id2label }, { "vocab.txt": `${vocabulary}\nt\nu` }, async (folder) => {
    await refused(
      () => openModel(folder, { backend }),
      `Cannot use the tokenizer in "${folder}": it has 25 tokens, and the model 23`,
    );
  });
  await withFolder("vit/vit", { id2label }, {}, async (folder) => {
    using model = await openModel(folder, { backend });
    await refused(
      () => model.predict({ images: new Uint8Array(9 * 6 * 3) }),
      `Cannot normalise images for the model in "${folder}" as there is no preprocessor_config.json: give normalise`,
    );
    const normalise = { mean: [0, 0, 0], std: [1, 1, 1] };
    using told = await openModel(folder, { backend, normalise });
    assert.equal((await told.predict({ images: new Uint8Array(9 * 6 * 3) })).classes.length, 1);
  });
  await withFolder(
    "vit/vit",
    { id2label },
    { "preprocessor_config.json": '{"image_mean": [0.5, 1]}' },
    async (folder) => {
      await refused(
        () => openModel(folder, { backend }),
        /^Cannot normalise images by ".*preprocessor_config.json": expected 3 numbers for image_mean, got /,
      );
    },
  );
  await refused(() => openModel("nowhere", { backend }), /^Cannot read .*"nowhere\/config.json"/);
  assert.equal(backend.memory().bytes, before.bytes);
}, [cpu]);

testBackends("batches of no whole number are refused, and so are pixels of another kind", async (backend) => {
  using tagger = await openModel(join(MODELS, "phrases-bert"), { backend });
  for (const batchSize of [-1, 0, 1.5, NaN]) {
    await assert.rejects(tagger.tag({ words: [["We"]] }, { batchSize }), {
      name: "UserError",
      message: `Cannot run a model on batches of ${batchSize}: a whole number from 1 up is needed`,
    });
  }
  using images = await openModel(join(MODELS, "fashion-resnet20"), { backend });
  const pixels = new Array(28 * 28).fill(255) as unknown as Uint8Array;
  await assert.rejects(images.predict({ images: pixels }), { name: "UserError", message: /expected a Uint8Array/ });
}, [cpu]);

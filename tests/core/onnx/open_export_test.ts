import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { readDescribedModel } from "../../../core/model_folder/read_architecture.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { companionFiles } from "../../../core/onnx/folder_files.ts";
import { exportModel } from "../../../core/onnx/export_model.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { OnnxPrecision } from "../../../core/recipe/recipe_type.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { openModel } from "../../../plugins/open_model.ts";
import { built, texts } from "./onnx_models.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { CHECKOUT } from "../../support/task.ts";

/** Runs `body` with what exports the model of a folder of the checkout, and opens any folder. */
async function exporting(
  body: (tools: {
    readonly exported: (source: string, precisions?: readonly OnnxPrecision[]) => Promise<string>;
    readonly open: (folder: string) => ReturnType<typeof openModel>;
    readonly lines: readonly string[];
  }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const lines: string[] = [];
  try {
    await body({
      lines,
      open: (folder) => openModel(folder, { ops, report: (line) => lines.push(line) }),
      exported: async (name, precisions = ["fp32"]) => {
        const source = join(CHECKOUT, name);
        const { model, input, saysNormalisation } = await readDescribedModel(source, builtins.model);
        const weights = await readModelWeights(source, model, "model", { report: () => {} });
        const evaluate = { batchSize: 8, positiveClass: null, threshold: 0.5 };
        const out = join(folder, name.replaceAll("/", "-"));
        const called = { ops, model, weights, input, saysNormalisation, source, out, precisions, evaluate };
        await exportModel({ ...called, data: null });
        return out;
      },
    });
    assert.equal(backend.memory().storages, 0);
  } finally {
    await backend.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const near = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  Math.max(...a.flatMap((row, index) => Array.from(row, (value, place) => Math.abs(value - b[index][place]))));

const [IMAGES, TAGS, VECTORS] = [
  "plugins/models/data/fashion-resnet20",
  "plugins/models/data/phrases-bert",
  "tests/fixtures/sentences/mean",
];

Deno.test("an export answers as the model that it was made of: pictures, tags by a CRF, vectors", async () => {
  await exporting(async ({ exported, open, lines }) => {
    const images = Uint8Array.from({ length: 3 * 28 * 28 }, (_, index) => index * 7 % 256);
    {
      using own = await open(join(CHECKOUT, IMAGES));
      using onnx = await open(await exported(IMAGES));
      const [a, b] = [await own.predict({ images }), await onnx.predict({ images })];
      assert.deepEqual(b.labels, a.labels);
      assert.ok(near(a.logits, b.logits) < 1e-4);
      const { logits, pooled } = onnx.outputs({ images });
      assert.deepEqual(logits.shape, [3, 10]);
      for (const tensor of [logits, pooled]) tensor.dispose();
      const image = onnx.ops.tensor(new Float32Array(28 * 28), [1, 28, 28, 1]);
      assert.throws(() => onnx.outputs({ image }), {
        name: "UserError",
        message: /^Cannot run the model in ".*" on tensors: it is an ONNX model, .*: give images, texts or words$/,
      });
      image.dispose();
      assert.match(lines.at(-1)!, /model\.onnx computes in onnxruntime$/);
    }
    {
      const words = [["We", "hold", "these", "truths", "to", "be", "self-evident"], ["Four", "score"]];
      using own = await open(join(CHECKOUT, TAGS));
      using onnx = await open(await exported(TAGS));
      const [a, b] = [await own.tag({ words }), await onnx.tag({ words })];
      assert.deepEqual(b.map(({ labels, together }) => [labels, together]), a.map(({ labels }) => [labels, true]));
      a.forEach(({ logits }, index) => assert.ok(near(logits, b[index].logits) < 1e-4));
    }
    {
      const texts = ["the dog runs", "a cat sleeps ."];
      using own = await open(join(CHECKOUT, VECTORS));
      const folder = await exported(VECTORS);
      using onnx = await open(folder);
      assert.ok(near(await own.embed({ texts }), await onnx.embed({ texts })) < 1e-5);
      // What the vectors are made by stands in the files that sentence-transformers has for it, not in the config.
      for (
        const name of ["modules.json", "sentence_bert_config.json", "1_Pooling/config.json", "2_Normalize/config.json"]
      ) {
        assert.deepEqual(await Deno.readFile(join(folder, name)), await Deno.readFile(join(CHECKOUT, VECTORS, name)));
      }
      const config = async (folder: string) => JSON.parse(await Deno.readTextFile(join(folder, "config.json")));
      const { exportedFrom: _, ...plain } = await config(folder);
      assert.deepEqual(plain, await config(join(CHECKOUT, VECTORS)));
    }
  });
});

Deno.test("an int8 export answers the same whatever else is in the batch", async () => {
  await exporting(async ({ exported, open }) => {
    {
      const texts = ["the dog runs", "a cat sleeps .", "a dog and a cat and a dog sleep and run and sleep and run ."];
      using onnx = await open(await exported(VECTORS, ["int8"]));
      const together = await onnx.embed({ texts });
      const alone = await Promise.all(texts.map(async (text) => (await onnx.embed({ texts: [text] }))[0]));
      assert.ok(near(together, alone) < 1e-5);
    }
    {
      const words = [["Four", "score"], ["We", "hold", "these", "truths", "to", "be", "self-evident"]];
      using onnx = await open(await exported(TAGS, ["int8"]));
      const together = await onnx.tag({ words });
      for (const [index, { logits, labels }] of together.entries()) {
        const [alone] = await onnx.tag({ words: [words[index]] });
        assert.deepEqual(labels, alone.labels);
        assert.ok(near(logits, alone.logits) < 1e-5);
      }
    }
  });
});

Deno.test("of several precisions the most exact answers; weights of the folder's own come first", async () => {
  await exporting(async ({ exported, open, lines }) => {
    const folder = await exported(IMAGES, ["fp32", "fp16"]);
    const told = async () => {
      using _model = await open(folder);
      return lines.at(-1)!;
    };
    assert.match(await told(), /\/model\.onnx computes/);
    await Deno.remove(join(folder, "onnx", "model.onnx"));
    assert.match(await told(), /model_fp16\.onnx computes/);
    await Deno.copyFile(join(CHECKOUT, IMAGES, "model.safetensors"), join(folder, "model.safetensors"));
    const before = lines.length;
    using _model = await open(folder);
    assert.deepEqual(lines.slice(before), []);
  });
});

Deno.test("a file of another model or program, and a damaged one, is refused with a sentence", async () => {
  await exporting(async ({ exported, open }) => {
    const folder = await exported(TAGS), file = join(folder, "onnx", "model.onnx");
    const bytes = await Deno.readFile(file);
    const refused = (message: RegExp) => assert.rejects(() => open(folder), { name: "UserError", message });
    const config = await Deno.readTextFile(join(folder, "config.json"));
    await Deno.writeTextFile(join(folder, "config.json"), config.replace(/"exportedFrom": "../, '"exportedFrom": "zz'));
    await refused(/^Cannot use ".*model\.onnx" as config\.json beside it is of another model$/);
    await Deno.writeTextFile(join(folder, "config.json"), config);
    await Deno.writeFile(file, bytes.subarray(0, bytes.length / 2));
    await refused(/^Cannot use ".*model\.onnx" as it is no ONNX model, or is damaged$/);
    const changed = async (from: string, to: string) => {
      const [sought, put] = [from, to].map((text) => new TextEncoder().encode(text));
      const at = bytes.findIndex((_, index) => sought.every((byte, place) => bytes[index + place] === byte));
      assert.ok(at >= 0 && sought.length === put.length);
      const copy = bytes.slice();
      copy.set(put, at);
      await Deno.writeFile(file, copy);
    };
    await changed("exportedFrom", "exportedfrom");
    await refused(
      /as it was not exported by this program: evaluate and recipes read such models, by the plug-in onnx$/,
    );
    await changed('"from_to"', '"from_at"');
    await refused(/as its crf_transitions are damaged: expected a shape, and as many numbers$/);
  });
});

/** Changes the config.json of a folder, and returns what it was. */
async function edit(folder: string, change: (config: Record<string, unknown>) => object): Promise<string> {
  const file = join(folder, "config.json");
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, JSON.stringify({ ...JSON.parse(text), ...change(JSON.parse(text)) }));
  return text;
}

Deno.test("a config.json that was changed beside an export is refused where it says something else than the file", async () => {
  await exporting(async ({ exported, open }) => {
    const images = await exported(IMAGES), tags = await exported(TAGS);
    const size = (height: number) => `images of ${height} x 28 x 1 (height, width, channels)`;
    const input = { height: 32, width: 28, channels: 1, normalise: { mean: [0], std: [1] } };
    const labels = Array.from({ length: 9 }, (_, index) => `${index}`);
    const named = { id2label: undefined, label2id: undefined };
    const cases: readonly (readonly [folder: string, change: object, says: string])[] = [
      [images, { ...named, labels }, "9 classes, and the file gives 10 numbers"],
      [tags, { ...named, labels }, "9 classes, and the file gives 10 numbers"],
      [images, { task: "multi-label" }, "the task multi-label, and the file classification"],
      [images, { input }, `${size(32)}, and the file takes ${size(28)}`],
    ];
    for (const [folder, change, says] of cases) {
      const config = await edit(folder, () => change);
      const message = `Cannot use "${join(folder, "onnx", "model.onnx")}" as config.json beside it says ${says}`;
      await assert.rejects(() => open(folder), { name: "UserError", message });
      await Deno.writeTextFile(join(folder, "config.json"), config);
    }
  });
});

Deno.test("the names of the classes beside an export may be others, and not the same in another order", async () => {
  await exporting(async ({ exported, open }) => {
    const folder = await exported(IMAGES);
    const names = Array.from({ length: 10 }, (_, index) => `garment ${index}`);
    const named = (labels: readonly string[]) =>
      edit(folder, () => ({ id2label: undefined, label2id: undefined, labels }));
    {
      using model = await open(folder);
      const { classes } = model.input;
      const [first, second, ...others] = classes;
      const config = await named([second, first, ...others]);
      const listed = (list: readonly string[]) => `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
      await assert.rejects(() => open(folder), {
        name: "UserError",
        message: `Cannot use "${join(folder, "onnx", "model.onnx")}" as config.json beside it says the classes ` +
          `${listed([second, first, ...others])} in this order, and the file ${listed(classes)}`,
      });
      await Deno.writeTextFile(join(folder, "config.json"), config);
    }
    await named(names);
    using renamed = await open(folder);
    assert.deepEqual(renamed.input.classes, names);
  });
});

Deno.test("an export of several labels says so also where the config that it is of leaves it open", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { model, input, weights } = built("bert", { layers: 1, width: 8, heads: 2 }, texts("multi-label"));
    const config = { architecture: undefined, task: undefined, problem_type: null, labels: undefined };
    await writeModelFolder(folder, "bert", model, input, weights);
    await edit(folder, () => config);
    await Deno.copyFile(join(CHECKOUT, VECTORS, "tokenizer.json"), join(folder, "tokenizer.json"));
    const text = new TextDecoder().decode((await companionFiles(folder, input, "a hash", true)).get("config.json"));
    assert.equal(JSON.parse(text).problem_type, "multi_label_classification");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what onnxruntime cannot compute is a sentence, and the model answers on", async () => {
  await exporting(async ({ exported, open }) => {
    const folder = await exported(TAGS);
    // More tokens than the file has positions for.
    await edit(
      folder,
      ({ input }) => ({ input: { ...input as object, maxLength: 600 }, max_position_embeddings: 600 }),
    );
    using model = await open(folder);
    const tag = (count: number) => model.tag({ words: [Array<string>(count).fill("truths")] });
    await assert.rejects(() => tag(400), {
      name: "UserError",
      message: /^Cannot run ".*model\.onnx": onnxruntime says: /,
    });
    assert.equal((await tag(3))[0].labels.length, 3);
  });
});

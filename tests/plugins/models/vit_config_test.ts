import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { readModelFolder } from "../../../core/model_folder/read_folder.ts";
import { countTrainable } from "../../../core/plugin/parameters.ts";
import { readSafetensors, type TensorToStore, toFloat32, writeSafetensors } from "../../../core/safetensors.ts";
import { vit } from "../../../plugins/models/vit/vit.ts";
import { textData } from "../../support/inputs.ts";
import {
  buildTransformer,
  buildVit,
  fixture,
  images,
  inFolder,
  optionsOf,
  type TransformerName,
  transformers,
} from "./vit_fixture.ts";

const names = Object.keys(transformers) as TransformerName[];

/** The fixture's tensors, renamed. */
async function stored(name: TransformerName, rename = (key: string) => key): Promise<Map<string, TensorToStore>> {
  const { tensors } = await readSafetensors(fixture(`${name}.safetensors`));
  return new Map([...tensors].map(([key, tensor]) => [rename(key), { shape: tensor.shape, data: toFloat32(tensor) }]));
}

for (const name of names) {
  Deno.test(`${name}: its config.json is Hugging Face's, and builds the same model again`, async () => {
    const model = await buildTransformer(name);
    const given = JSON.parse(await Deno.readTextFile(fixture(`${name}.json`)));
    for (const [key, value] of Object.entries(given)) assert.deepEqual(model.config[key], value, key);
    for (const options of [{}, { qkv: "fused" }]) {
      const first = await buildTransformer(name, options);
      const again = vit.build(vit.fromConfig!(first.config, optionsOf({})), images(transformers[name]));
      assert.deepEqual(again.config, first.config);
      assert.deepEqual(again.parameters, first.parameters);
    }
    const classes = { vit: "ViTForImageClassification", deit: "DeiTForImageClassificationWithTeacher" };
    assert.deepEqual(model.config.architectures, [classes[name]]);
    assert.deepEqual(model.config.id2label, { 0: "class 0", 1: "class 1", 2: "class 2", 3: "class 3" });
    assert.deepEqual(model.layerPrefixes, [`${name}.encoder.layer.0.`, `${name}.encoder.layer.1.`]);
    assert.equal(model.classifier, name === "vit" ? "classifier.weight" : undefined);
  });

  Deno.test(`${name}: a folder that is written is read again with every number`, () =>
    inFolder(async (folder) => {
      const model = await buildTransformer(name);
      const data = images(transformers[name]);
      const weights = await readModelWeights(fixture(`${name}.safetensors`), model, "student");
      await writeModelFolder(folder, "vit", model, data, weights);
      const saved = await readModelFolder(folder, [vit], data);
      assert.deepEqual(saved.model.config, model.config);
      assert.deepEqual(saved.weights, weights);
      // Every tensor of the file has the name that transformers gives it.
      const { tensors } = await readSafetensors(join(folder, "model.safetensors"));
      assert.deepEqual([...tensors.keys()].sort(), [...(await stored(name)).keys()].sort());
    }));

  Deno.test(`${name}: other prefixes, bare encoders, poolers and pre-training's tensors are understood`, () =>
    inFolder(async (folder) => {
      const model = await buildTransformer(name);
      const expected = await readModelWeights(fixture(`${name}.safetensors`), model, "teacher");
      const renamings = [(key: string) => `_orig_mod.module.${key}`, (key: string) => key.replace(`${name}.`, "")];
      for (const rename of renamings) {
        const tensors = await stored(name, rename);
        for (const extra of [`${name}.pooler.dense.weight`, `${name}.embeddings.mask_token`, "decoder.0.weight"]) {
          tensors.set(extra, { shape: [2], data: new Float32Array(2) });
        }
        await writeSafetensors(join(folder, "model.safetensors"), tensors);
        assert.deepEqual(await readModelWeights(folder, model, "teacher"), expected);
      }
      // What is trained for other classes lacks the head alone.
      assert.deepEqual(model.head, [...expected.keys()].filter((key) => key.includes("classifier")));
    }));
}

Deno.test("sizes that do not fit each other or the images are refused in one sentence", () => {
  const refused = (options: Record<string, unknown>, message: RegExp, data = images([28, 28, 1])) =>
    assert.throws(() => buildVit(options, data), { name: "UserError", message });
  const sizes = { layers: 2, width: 8, heads: 2, patch: 4 };
  refused(
    { layers: 2, width: 8 },
    /^Cannot build a vision transformer of unknown size: expected layers, width and patch,/,
  );
  refused({ ...sizes, heads: 3 }, /^Cannot divide a width of 8 among 3 heads: expected a multiple of the heads$/);
  refused(
    { ...sizes, patch: 16 },
    /^Cannot cut images of 28 x 28 pixels into patches of 16 x 16: both sides must be multiples .*, as those of 32 x 32 are, .*, as 14 does$/,
  );
  refused(
    { ...sizes, patch: 40 },
    /30 x 20 pixels into patches of 40 x 40: .* of 40 x 40 are, .* as 10 does$/,
    images([30, 20, 1]),
  );
  refused(sizes, /^Cannot build the model "vit" as it takes images: the data set has text$/, textData(["a", "b"]));
  refused(
    { ...sizes, distillationHead: true },
    /^Cannot give a vit a distillationHead as it has no distillation token: expected the variant deit$/,
  );
  assert.throws(() => optionsOf({ variant: "swin" }));
  assert.throws(() => optionsOf({ width: 8, depth: 2 }));
});

Deno.test("configs of models that compute otherwise are refused in one sentence", () => {
  const refused = (change: Record<string, unknown>, message: RegExp) =>
    assert.throws(() => vit.fromConfig!({ model_type: "vit", hidden_size: 8, ...change }, optionsOf({})), {
      name: "UserError",
      message,
    });
  refused(
    { model_type: "swin" },
    /^Cannot build a model of type "swin" as a vision transformer: expected vit or deit$/,
  );
  refused({ hidden_act: "silu" }, /^Cannot compute hidden_act "silu": expected one of gelu, /);
  refused({ qkv_bias: false }, /^Cannot build a vision transformer with qkv_bias false: expected true$/);
  refused(
    { patch_size: [4, 2] },
    /^Cannot read patch_size of the config: expected a whole number from 1 to 16384, got \[4,2\]$/,
  );
});

Deno.test("the classes in another order than the data set's are refused, other names are not", async () => {
  const { config } = await buildTransformer("vit");
  const build = (classes: string[]) =>
    vit.build(vit.fromConfig!(config, optionsOf({})), { ...images(transformers.vit), classes });
  assert.throws(() => build(["class 1", "class 0", "class 2", "class 3"]), {
    name: "UserError",
    message:
      "Cannot run a model whose classes are class 0, class 1, class 2 and class 3 in this order, on a data set " +
      "in which they are class 1, class 0, class 2 and class 3: expected the same order",
  });
  assert.equal(build(["cat", "dog", "cow", "hen", "owl"]).parameters.at(-1)!.shape[0], 5);
});

Deno.test("a DeiT of one head is Hugging Face's DeiTForImageClassification, which its config tells", async () => {
  const model = await buildTransformer("deit", { distillationHead: false });
  assert.deepEqual(model.config.architectures, ["DeiTForImageClassification"]);
  assert.deepEqual(model.head, ["classifier.weight", "classifier.bias"]);
  assert.equal(model.classifier, "classifier.weight");
  const names = model.parameters.map(({ name }) => name);
  assert.ok(names.includes("deit.embeddings.distillation_token"));
  assert.ok(!names.some((name) => /cls_classifier|distillation_classifier/.test(name)));
  const build = (options: Record<string, unknown>) =>
    vit.build(vit.fromConfig!(model.config, optionsOf(options)), images(transformers.deit));
  assert.deepEqual(build({}).parameters, model.parameters);
  assert.deepEqual(build({}).config, model.config);
  const both = await buildTransformer("deit");
  assert.deepEqual(build({ distillationHead: true }).parameters, both.parameters, "the recipe's word counts more");
});

Deno.test("options in a recipe count more than the config.json", async () => {
  const model = await buildTransformer("vit", { layers: 1, dropout: 0.3 });
  assert.equal(model.layerPrefixes!.length, 1);
  assert.equal(model.config.hidden_dropout_prob, 0.3);
  assert.equal(model.config.hidden_size, 12);
});

Deno.test("ViT-B/16, ViT-L/16 and DeiT-Ti have the known numbers of parameters", () => {
  const count = (options: Record<string, unknown>) =>
    countTrainable(buildVit({ patch: 16, ...options }, images([224, 224, 3], 1000)).parameters);
  assert.equal(count({ layers: 12, width: 768 }), 86_567_656);
  assert.equal(count({ layers: 24, width: 1024 }), 304_326_632);
  assert.equal(count({ layers: 12, width: 192 }), 5_717_416);
  assert.equal(count({ layers: 12, width: 192, variant: "deit" }), 5_910_800);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { resizePicture } from "../../../core/data/resize.ts";
import type { Backend } from "../../../core/backend/backend.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { decodePicture } from "../../../plugins/datasets/pictures/decode_picture.ts";
import { openModel } from "../../../plugins/open_model.ts";
import type { Computed } from "../../../tasks/predict/answers.ts";
import { pictureInputs } from "../../../tasks/predict/picture_inputs.ts";
import { type Input, Predictor } from "../../../tasks/predict/predictor.ts";
import { built, images as imagesOf } from "../../core/onnx/onnx_models.ts";
import { cpu, testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import { goldenFile, noisePng, plainPng } from "../../support/pictures.ts";
import { CHECKOUT } from "../../support/task.ts";

const MODELS = join(CHECKOUT, "plugins/models/data");
const FIXTURES = join(CHECKOUT, "tests/fixtures");

const open = (folder: string, backend: Backend) =>
  Predictor.open(folder, { backend, background: null, report: () => {} });

async function compute(predictor: Predictor, inputs: readonly Input[]): Promise<Computed[]> {
  return await predictor.run(await Promise.all(inputs.map((input) => predictor.prepare(input, "it"))));
}

const logitsOf = (computed: Computed) =>
  "tags" in computed ? computed.tags.flatMap(({ logits }) => [...logits]) : [...computed.logits];

const text = (text: string, pair: string | null = null) => ({ text, pair });

testBackends(
  "a batch gives what each input gives alone, padded or not, and the device keeps nothing",
  async (backend) => {
    const before = backend.memory().bytes;
    const sentences = ["Free money", "we hold these truths to be self-evident that all men ".repeat(3), "a"];
    for (const name of ["mail-bert4", "phrases-bert"]) {
      using predictor = await open(join(MODELS, name), backend);
      const inputs: Input[] = sentences.map((own) => text(own));
      if (name === "mail-bert4") inputs.push(text("Dear friend", "your prize"));
      const opened = backend.memory().bytes;
      const together = await compute(predictor, inputs);
      for (const [index, input] of inputs.entries()) {
        const [alone] = await compute(predictor, [input]);
        assertClose(logitsOf(together[index]), logitsOf(alone), 1e-5);
      }
      assert.equal(backend.memory().bytes, opened);
    }
    assert.equal(backend.memory().bytes, before);
  },
);

testBackends("a picture is decoded, made grey, and resized as preprocessor_config.json says", async (backend) => {
  const folder = await Deno.makeTempDir();
  try {
    const source = join(MODELS, "fashion-resnet20");
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(join(source, name), join(folder, name));
    }
    const file = noisePng(3, 40, 31, 3);
    const small = noisePng(4, 28, 28, 1);
    {
      using predictor = await open(folder, backend);
      await assert.rejects(predictor.prepare({ picture: file }, "it"), {
        name: "UserError",
        message:
          /^Cannot use it as it has 40 x 31 pixels, and the model takes 28 x 28: resize it, or put the preprocessor/,
      });
      assert.equal((await compute(predictor, [{ picture: small }])).length, 1);
    }
    const processor = { size: { height: 28, width: 28 }, resample: 3, image_mean: [0], image_std: [1] };
    await Deno.writeTextFile(join(folder, "preprocessor_config.json"), JSON.stringify(processor));
    using predictor = await open(folder, backend);
    using model = await openModel(folder, { backend });
    const grey = await decodePicture(file, { channels: 1, background: null, orient: true });
    const { logits } = await model.predict({ images: resizePicture(grey, 28, 28, "bicubic").pixels });
    assert.deepEqual(logitsOf((await compute(predictor, [{ picture: file }]))[0]), [...logits[0]]);

    const cropped = { ...processor, do_center_crop: true, crop_size: { height: 20, width: 24 } };
    await Deno.writeTextFile(join(folder, "preprocessor_config.json"), JSON.stringify(cropped));
    using other = await open(folder, backend);
    await assert.rejects(other.prepare({ picture: file }, "it"), {
      message: "Cannot use it as the model takes 28 x 28 pixels, and its preprocessor_config.json makes 20 x 24 of it",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, [cpu]);

testBackends("pictures are turned as their EXIF data say, unless the model's were not", async (backend) => {
  const folder = await Deno.makeTempDir();
  try {
    const file = goldenFile("jpeg-turned-6");
    const decoded = (orient: boolean) => decodePicture(file, { channels: 3, background: null, orient });
    for (const orient of [undefined, true, false]) {
      const { pixels, height, width } = await decoded(orient ?? true);
      const images = imagesOf(height, width, 3);
      const input = { ...images, image: { ...images.image!, orient } };
      const { model, weights } = built("resnet", { depth: 8, width: 4 }, input);
      await writeModelFolder(folder, "resnet", model, input, weights);
      await Deno.remove(join(folder, "preprocessor_config.json"));
      using predictor = await open(folder, backend);
      assert.deepEqual(await predictor.prepare({ picture: file }, "it"), { pixels }, `${orient}`);
    }
    const [turned, stored] = [await decoded(true), await decoded(false)];
    assert.notDeepEqual([turned.height, turned.pixels], [stored.height, stored.pixels]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, [cpu]);

testBackends("what a model cannot take is refused in a sentence", async (backend) => {
  const refused = (call: Promise<unknown>, message: string | RegExp) =>
    assert.rejects(call, { name: "UserError", message });
  {
    using images = await open(join(MODELS, "fashion-resnet20"), backend);
    const picture = plainPng([9, 9, 9], 28);
    await refused(images.prepare(text("a"), "it"), "Cannot use it as it is a text, and the model takes pictures");
    await refused(
      images.prepare({ picture: picture.subarray(0, 60) }, 'the picture "a.png"'),
      'Cannot use the picture "a.png" as it ends before its picture does',
    );
    await refused(images.prepare({ picture: new Uint8Array() }, "it"), "Cannot use it as it is empty");
    await refused(
      images.prepare({ picture: goldenFile("png-rgba") }, "it"),
      /^Cannot use it as it has transparent pixels: set background /,
    );
    using texts = await open(join(MODELS, "mail-bert4"), backend);
    await refused(texts.prepare({ picture }, "it"), "Cannot use it as it is a picture, and the model takes texts");
    await refused(texts.prepare(text(" \n"), "line 3"), "Cannot use line 3 as its text is empty");
    await refused(
      texts.prepare({ words: ["a"] }, "it"),
      "Cannot use it as it is a list of words, and the model takes texts",
    );
    using tagger = await open(join(MODELS, "phrases-bert"), backend);
    await refused(tagger.prepare(text("a", "b"), "it"), /^Cannot use it as it is a pair, and the model tags the words/);
    await refused(tagger.prepare({ words: [] }, "it"), "Cannot use it as it has no words");
    await refused(tagger.prepare({ words: ["a", " "] }, "it"), "Cannot use it as one of its words is empty");
    const long = await compute(tagger, [{ words: Array(300).fill("hold") }, text("We hold")]);
    assert.deepEqual(long.map(({ cut }) => cut), [true, false]);
    const [odd] = await compute(tagger, [{ words: ["We", "\u200b", "hold"] }]);
    assert.equal("tags" in odd && odd.tags.length, 3, "a word of which nothing is left has a tag, too");
    assert.equal(odd.cut, false);
  }
  const folder = await Deno.makeTempDir();
  try {
    const config = JSON.parse(await Deno.readTextFile(join(FIXTURES, "bert/bert.json")));
    const id2label = { 0: "north", 1: "east", 2: "south", 3: "west" };
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ ...config, id2label }));
    await Deno.copyFile(join(FIXTURES, "bert/bert.safetensors"), join(folder, "model.safetensors"));
    const before = backend.memory().bytes;
    await refused(
      open(folder, backend),
      `Cannot read texts for the model in "${folder}" as there is no tokenizer: expected tokenizer.json or vocab.txt`,
    );
    assert.equal(backend.memory().bytes, before);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, [cpu]);

Deno.test("a folder's pictures are taken in order, those within it too, and what lies beside them is left out", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "b"));
    for (const name of ["z.png", "a.PNG", "b/c.jpg", ".DS_Store", "notes.txt"]) {
      await Deno.writeTextFile(join(folder, name), name);
    }
    const inputs = await pictureInputs([join(folder, "z.png"), folder]);
    assert.deepEqual(
      inputs.map(({ source: { input } }) => input),
      ["z.png", "a.PNG", "b/c.jpg", "z.png"].map((name) => join(folder, name)),
    );
    assert.deepEqual(await inputs[2].read(), { picture: new TextEncoder().encode("b/c.jpg") });
    const [missing] = await pictureInputs([join(folder, "none.png")]);
    await assert.rejects(missing.read(), {
      name: "UserError",
      message: /^Cannot read the picture ".*none\.png" as there is no such file/,
    });
    await Deno.remove(join(folder, "b"), { recursive: true });
    for (const name of ["z.png", "a.PNG"]) await Deno.remove(join(folder, name));
    await assert.rejects(pictureInputs([folder]), {
      name: "UserError",
      message: `Cannot find pictures in "${folder}": there are none, nor in folders in it`,
    });
    await assert.rejects(pictureInputs([]), {
      message: "Cannot predict without pictures: expected files, or folders of them",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

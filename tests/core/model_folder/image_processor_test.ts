import assert from "node:assert/strict";
import { join } from "node:path";
import { inImageForm } from "../../../core/data/image_form.ts";
import {
  imageProcessorFiles,
  imageProcessorOf,
  readImageProcessor,
} from "../../../core/model_folder/image_processor.ts";
import golden from "../../golden/image_processors.json" with { type: "json" };
import { goldenPicture } from "../../support/golden_picture.ts";
import { tinyRun, withTinyData } from "../../support/tiny_run.ts";

const FILE = "preprocessor_config.json";

Deno.test("an image processor makes of pictures what the data set made of them", () => {
  const normalise = { mean: [0.25, 0.5, 0.75], std: [0.5, 0.25, 0.125] };
  const { [FILE]: bytes, ...others } = imageProcessorFiles({ size: [32, 48, 3], normalise });
  assert.deepEqual(others, {});
  assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes)), {
    image_processor_type: "ViTImageProcessor",
    do_resize: true,
    size: { height: 32, width: 48 },
    resample: 2,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.25, 0.5, 0.75],
    image_std: [0.5, 0.25, 0.125],
  });
});

Deno.test("an image processor says how the data set resized and cropped its pictures, where it says so", () => {
  const processor = { image_processor_type: "CLIPImageProcessor", size: { shortest_edge: 36 }, resample: 3 };
  const normalise = { mean: [0.25], std: [0.5] };
  const { [FILE]: bytes } = imageProcessorFiles({ size: [32, 32, 1], normalise, processor });
  const written = JSON.parse(new TextDecoder().decode(bytes));
  assert.deepEqual({ ...written, ...processor }, written);
  assert.deepEqual([written.image_mean, written.image_std], [[0.25], [0.5]]);
});

Deno.test("there is one for grey pictures and for colours, and none for channels that transformers cannot find", () => {
  const names = (channels: number) => {
    const [mean, std] = [0, 1].map((value) => Array(channels).fill(value));
    return Object.keys(imageProcessorFiles({ size: [8, 8, channels], normalise: { mean, std } }));
  };
  assert.deepEqual([1, 2, 3, 4].map(names), [[FILE], [], [FILE], []]);
});

Deno.test("a student's folder has the processor of its data set", () =>
  withTinyData(async (folder) => {
    const text = `
name: tiny-vit
dataset:
  use: idx
  train: { images: train-images, labels: train-labels }
  test: { images: test-images, labels: test-labels }
student: { use: vit, layers: 1, width: 8, heads: 2, patch: 4 }
losses: [{ use: cross-entropy }]
train: { epochs: 1, batchSize: 16, maxSteps: 1, optimiser: { use: sgd, learningRate: 0.05 } }
`;
    await tinyRun(folder, { text });
    const read = async (name: string) => JSON.parse(await Deno.readTextFile(join(folder, "run", "student", name)));
    const [{ input: { normalise } }, processor] = [await read("config.json"), await read(FILE)];
    assert.deepEqual([processor.image_mean, processor.image_std], [normalise.mean, normalise.std]);
    assert.ok(processor.image_mean[0] > 0.2, "measured on the training images");
    assert.deepEqual(processor.size, { height: 8, width: 8 });
  }));

Deno.test("a folder's processor makes of pictures what transformers makes of them", async () => {
  for (const { from: [height, width, channels], config, shape, values } of golden.prepared) {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(join(folder, FILE), JSON.stringify(config));
    const processor = await readImageProcessor(folder);
    await Deno.remove(folder, { recursive: true });
    const form = { resize: processor!.resize(height, width), normalise: processor!.normalise(channels) };
    const { pixels } = goldenPicture(height, width, channels);
    const given = { mean: [0.2, 0.3, 0.4], std: [0.5, 0.25, 2] };
    const data = Float32Array.from(pixels, (pixel, at) => (pixel / 255 - given.mean[at % 3]) / given.std[at % 3]);
    const made = inImageForm({ data, shape: [1, height, width, channels] }, given, form);
    assert.deepEqual(made.shape, [1, ...shape], JSON.stringify(config));
    const worst = made.data.reduce((most, value, at) => Math.max(most, Math.abs(value - values[at])), 0);
    assert.ok(worst < 5e-6, `${worst} for ${JSON.stringify(config)}`);
  }
});

Deno.test("a size that is one number is the shorter side to the processors that keep a picture's shape", () => {
  // get_size_dict(size, default_to_square=False) in transformers' processors of these four.
  const toOf = (kind: string, more = {}) =>
    imageProcessorOf({ image_processor_type: `${kind}ImageProcessor`, size: 6, ...more }, FILE).resize(9, 12);
  for (const kind of ["CLIP", "Bit", "MobileNetV1", "MobileNetV2"]) {
    assert.deepEqual(toOf(kind, { do_center_crop: false }).to, [6, 8], kind);
    assert.deepEqual(toOf(kind).crop, [224, 224], kind);
    assert.deepEqual(toOf(kind, { crop_size: 5 }).crop, [5, 5], kind);
    assert.deepEqual(toOf(kind, { size: { height: 6, width: 6 } }).to, [6, 6], kind);
  }
  for (const kind of ["ViT", "DeiT", "Siglip"]) assert.deepEqual(toOf(kind).to, [6, 6], kind);
});

Deno.test("a processor that is not understood is refused by what is wrong", async () => {
  const folder = await Deno.makeTempDir();
  const wrong = [
    [
      { size: { height: 0, width: 4 } },
      /: expected height and width, or a shortest_edge, of whole numbers from 1 to 8192 for size, got \{"height":0,"width":4\}$/,
    ],
    [{}, /: expected height and width, or a shortest_edge, .* for size, got nothing$/],
    [
      { image_processor_type: "FooImageProcessor", size: 4 },
      /: expected one that is known here, of ViT, .* for image_/,
    ],
    [
      { image_processor_type: "ConvNextImageProcessor", resample: 3, size: { height: 4, width: 4 } },
      /: expected a shortest_edge for size/,
    ],
    [
      { size: null },
      /: expected height and width, or a shortest_edge, of whole numbers from 1 to 8192 for size, got null$/,
    ],
    [{ size: { shortest_edge: 1e9 } }, /: expected a shortest_edge from 1 to 8192 for size, got /],
    [{ size: { shortest_edge: 4, longest_edge: 9 } }, /: expected no longest_edge for size, got /],
    [
      { image_processor_type: "BeitImageProcessor", size: 4 },
      /: expected true or false, as without it versions of transformers differ, for do_center_crop, got nothing$/,
    ],
    [
      { image_processor_type: "ConvNextImageProcessor", size: { shortest_edge: 4 } },
      /: expected a whole number, as without it versions of transformers differ, for resample, got nothing$/,
    ],
    [{ size: 4, do_center_crop: true }, /: expected height and width of whole numbers from 1 to 8192 for crop_size/],
    [{ size: 4, resample: 9 }, /: expected a whole number from 0 to 5 for resample, got 9$/],
    [{ size: 4, resample: true }, /: expected a whole number from 0 to 5 for resample, got true$/],
    [{ size: 4, resample: "bilinear" }, /: expected a whole number from 0 to 5 for resample, got "bilinear"$/],
    [{ size: 4, do_pad: true }, /: expected false for do_pad, got true$/],
    [{ size: 4, do_resize: "false" }, /: expected true or false for do_resize, got "false"$/],
    [
      { size: 4, do_center_crop: true, crop_size: "8" },
      /: expected height and width of whole numbers from 1 to 8192 for crop_size, got "8"$/,
    ],
    [{ size: 4, crop_rounding: "up" }, /: expected floor or half-even for crop_rounding, got "up"$/],
    [{ size: 4, do_center_crop: 1 }, /: expected true or false for do_center_crop, got 1$/],
    ...[0, -1, 2, "x", null].map((crop_pct) =>
      [
        { image_processor_type: "ConvNextImageProcessor", resample: 3, size: { shortest_edge: 4 }, crop_pct },
        /: expected a number above 0, at most 1 for crop_pct, got /,
      ] as const
    ),
    [
      { image_processor_type: "ConvNextImageProcessor", resample: 3, size: { shortest_edge: 4 }, crop_pct: 1e-9 },
      /: expected sides up to 8192 of 4 x 4 pixels for size, got /,
    ],
  ] as const;
  for (const [config, message] of wrong) {
    await Deno.writeTextFile(join(folder, FILE), JSON.stringify(config));
    const processor = await readImageProcessor(folder);
    assert.throws(() => processor!.resize(4, 4), { name: "UserError", message });
  }
  await Deno.remove(folder, { recursive: true });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { imageProcessorFiles } from "../../../core/model_folder/image_processor.ts";
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

import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import type { Batch, HostTensor } from "../../core/plugin/dataset.ts";
import { FIXTURES, images, imagesOf, openFile, texts } from "../plugins/models/onnx_fixture.ts";
import { answered } from "./answers.ts";
import type { Campaign } from "./campaign.ts";
import { inNewFolder, readFiles } from "./model_folders.ts";
import { changedBytes, oneOf } from "./mutations.ts";

const filled = (value: number, ...shape: number[]): HostTensor => {
  return { shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(value) };
};

/** The fixtures with what each is run on: more examples than it takes at once. */
const MODELS = [
  { name: "image", data: images, options: { hidden: ["maps"] }, batch: { image: filled(0.5, 6, 5, 4, 2) } },
  { name: "fixed", data: images, options: {}, batch: { image: filled(0.5, 6, 5, 4, 2) } },
  {
    name: "text",
    data: texts,
    options: {},
    batch: { tokens: filled(3, 6, 5), types: filled(1, 6, 5), mask: filled(1, 6, 5) },
  },
  {
    name: "rows",
    data: imagesOf(8, 8, 1),
    options: { outputs: { probabilities: "output_probability" } },
    batch: { image: filled(0.5, 6, 8, 8, 1) },
  },
] as const;

let files: ReturnType<typeof readFiles> | undefined;

/** ONNX models, and a file of tensors beside one. */
export const onnxFuzz: Campaign = {
  name: "broken ONNX models",
  quick: 60,
  async trial(seed) {
    const random = new Random(seed).split("onnx");
    const whole = await (files ??= readFiles(FIXTURES));
    const { name, data, options, batch } = oneOf(random, MODELS);
    const hurt = name === "fixed" && random.below(2) === 0 ? "fixed.onnx.data" : `${name}.onnx`;
    return await inNewFolder(async (folder) => {
      for (const file of [`${name}.onnx`, "fixed.onnx.data"]) {
        await Deno.writeFile(join(folder, file), file === hurt ? changedBytes(whole[file], random) : whole[file]);
      }
      return await answered(folder, async () => {
        using teacher = await openFile(join(folder, `${name}.onnx`), options, data);
        assert.deepEqual(teacher.run(batch as Batch<HostTensor>).logits.shape, [6, 3]);
      });
    });
  },
};

import { fileURLToPath } from "node:url";
import "../../../core/deno/install.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { Student } from "../../../core/distill/student/student.ts";
import type { Ops } from "../../../core/ops/ops.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { readSafetensors, toFloat32 } from "../../../core/safetensors.ts";
import type { VitOptions } from "../../../plugins/models/vit/options.ts";
import { vit } from "../../../plugins/models/vit/vit.ts";
import { imageData } from "../../support/inputs.ts";

/** The vision transformers in tests/fixtures/vit, and their images. */
export const transformers = { vit: [9, 6, 3], deit: [8, 8, 1] } as const;

export type TransformerName = keyof typeof transformers;

/** A file of tests/fixtures/vit. */
export const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/vit/${name}`, import.meta.url));

/** Images in so many classes, as a data set describes them. */
export function images(size: readonly [number, number, number] = [8, 8, 1], classes = 4): InputDescription {
  return imageData(size, Array.from({ length: classes }, (_, index) => `class ${index}`));
}

/** Options through the plug-in's own schema. */
export const optionsOf = (options: Record<string, unknown>): VitOptions => vit.options(optionKit).parse(options);

/** Builds a vision transformer as the pipeline does. */
export function buildVit(options: Record<string, unknown>, data: InputDescription = images()): Model {
  return vit.build(optionsOf(options), data);
}

/** Runs a test in a folder of its own. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One of {@link transformers}, of the sizes in its config.json. */
export async function buildTransformer(name: TransformerName, options: Record<string, unknown> = {}): Promise<Model> {
  const config = JSON.parse(await Deno.readTextFile(fixture(`${name}.json`)));
  return vit.build(vit.fromConfig!(config, optionsOf(options)), images(transformers[name]));
}

/** A vision transformer with PyTorch's weights, and what PyTorch computed with it, by the names in make.py. */
export async function openTransformer(name: TransformerName, ops: Ops, options: Record<string, unknown> = {}) {
  const model = await buildTransformer(name, options);
  const weights = await readModelWeights(fixture(`${name}.safetensors`), model, "student");
  const student = new Student(ops, model, new Map(), weights);
  const { tensors } = await readSafetensors(fixture(`${name}.expected.safetensors`));
  const expected = new Map([...tensors].map(([key, tensor]) => [key, toFloat32(tensor)]));
  const shapeOf = (key: string) => tensors.get(key)?.shape;
  const input = (key: string) => ops.tensor(expected.get(key)!, shapeOf(key));
  const batch = { image: input("image"), label: input("label") };
  const forward = (training = false, seed = 0): ModelOutputs =>
    model.forward({ ops, weights: student.weights(), batch, training, randomSeed: () => ++seed });
  return { model, weights, student, expected, shapeOf, batch, forward };
}

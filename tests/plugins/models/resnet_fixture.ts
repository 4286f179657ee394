import { fileURLToPath } from "node:url";
import "../../../core/deno/install.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { Student } from "../../../core/distill/student/student.ts";
import type { Ops } from "../../../core/ops/ops.ts";
import type { Batch, HostTensor } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { readSafetensors, toFloat32 } from "../../../core/safetensors.ts";
import { resnet } from "../../../plugins/models/resnet/resnet.ts";
import { assertClose } from "../../support/numbers.ts";
import { imageData } from "../../support/inputs.ts";

/** The networks in tests/fixtures/resnet: options in a recipe and image size; all have 5 classes. */
export const networks = {
  cifar8: { options: { depth: 8, width: 4 }, image: [9, 7, 1] },
  small8: { options: { depth: 8, width: 4, stem: "small" }, image: [11, 8, 3] },
  padded8: { options: { depth: 8, width: 4, shortcut: "padded" }, image: [9, 7, 1] },
  behind8: { options: { depth: 8, width: 4, shortcut: "padded-behind" }, image: [9, 7, 1] },
  imagenet18: { options: { depth: 18, width: 4 }, image: [33, 31, 3] },
  imagenet50: { options: { depth: 50, width: 2 }, image: [32, 32, 3] },
} as const;

export type Network = keyof typeof networks;

/** A file of tests/fixtures/resnet. */
export const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/resnet/${name}`, import.meta.url));

/** Builds a model as the pipeline does: options through the plug-in's own schema. */
export function buildResnet(
  options: Record<string, unknown>,
  image: readonly [number, number, number],
  classes: number,
): Model {
  const labels = Array.from({ length: classes }, (_, index) => `${index}`);
  return resnet.build(resnet.options(optionKit).parse(options), imageData(image, labels));
}

/** One of {@link networks}. */
export const buildNetwork = (name: Network) => buildResnet(networks[name].options, networks[name].image, 5);

/** A network with PyTorch's weights, and what PyTorch computed with it, by the names in make.py. */
export async function openNetwork(name: Network, ops: Ops) {
  const model = buildNetwork(name);
  const weights = await readModelWeights(fixture(`${name}.safetensors`), model, "student");
  const student = new Student(ops, model, new Map(), weights);
  const { tensors } = await readSafetensors(fixture(`${name}.expected.safetensors`));
  const expected = new Map([...tensors].map(([key, tensor]) => [key, toFloat32(tensor)]));
  const part = (key: string): HostTensor => ({ data: expected.get(key)!, shape: tensors.get(key)!.shape });
  const hostBatch: Batch<HostTensor> = { image: part("image"), label: part("label") };
  const batch = {
    image: ops.tensor(hostBatch.image.data, hostBatch.image.shape),
    label: ops.tensor(hostBatch.label.data),
  };
  const forward = (training: boolean): ModelOutputs =>
    model.forward({ ops, weights: student.weights(), batch, training, randomSeed: () => 0 });
  const shapeOf = (key: string) => tensors.get(key)?.shape;
  return { model, student, expected, shapeOf, hostBatch, batch, forward };
}

/** Asserts |actual - expected| <= tolerance * largest |expected|, however small that is. */
export function assertRelative(
  actual: Iterable<number>,
  expected: Float32Array,
  tolerance: number,
  what: string,
): void {
  const scale = Math.max(...expected.map(Math.abs));
  assertClose(
    Float64Array.from(actual, (v) => v / scale),
    Float64Array.from(expected, (v) => v / scale),
    tolerance,
    what,
  );
}

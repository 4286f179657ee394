import { fileURLToPath } from "node:url";
import "../../../core/deno/install.ts";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { Student } from "../../../core/distill/student/student.ts";
import type { Ops } from "../../../core/ops/ops.ts";
import type { InputDescription, Task } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { readSafetensors, toFloat32 } from "../../../core/safetensors.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { bert } from "../../../plugins/models/bert/bert.ts";
import type { BertOptions } from "../../../plugins/models/bert/options.ts";

/** The encoders in tests/fixtures/bert, and their tasks. */
export const encoders = {
  bert: "classification",
  tagger: "tagging",
  regression: "regression",
  distilbert: "classification",
  roberta: "classification",
  electra: "classification",
  "electra-tagger": "tagging",
  mpnet: "classification",
} as const satisfies Record<string, Task>;

export type EncoderName = keyof typeof encoders;

/** A file of tests/fixtures/bert. */
export const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/bert/${name}`, import.meta.url));

/** Text in so many classes, as a data set describes it. */
export function textInput(task: Task = "classification", text: Partial<InputDescription["text"]> = {}, classes = 4) {
  const names = Array.from({ length: task === "regression" ? 0 : classes }, (_, index) => `class ${index}`);
  const whole = { vocabulary: 23, maxLength: 7, padding: 0, files: {}, ...text };
  return { task, classes: names, image: null, text: whole } satisfies InputDescription;
}

/** Encoders whose padding token is not 0. */
const PADDING: Partial<Record<EncoderName, number>> = { roberta: 1, mpnet: 1 };

/** Text as the data of one of {@link encoders} describe it. */
export const inputOf = (name: EncoderName, text: Partial<InputDescription["text"]> = {}) =>
  textInput(encoders[name], { padding: PADDING[name] ?? 0, ...text });

/** Options through the plug-in's own schema. */
export const optionsOf = (options: Record<string, unknown>): BertOptions => bert.options(optionKit).parse(options);

/** Builds an encoder as the pipeline does. */
export function buildBert(options: Record<string, unknown>, data: InputDescription = textInput()): Model {
  return bert.build(optionsOf(options), data);
}

/** One of {@link encoders}, of the sizes in its config.json. */
export async function buildEncoder(name: EncoderName, options: Record<string, unknown> = {}): Promise<Model> {
  const config = JSON.parse(await Deno.readTextFile(fixture(`${name}.json`)));
  return bert.build(bert.fromConfig!(config, optionsOf(options)), inputOf(name));
}

/** An encoder with PyTorch's weights, and what PyTorch computed with it, by the names in make.py. */
export async function openEncoder(name: EncoderName, ops: Ops, options: Record<string, unknown> = {}) {
  const model = await buildEncoder(name, options);
  const weights = await readModelWeights(fixture(`${name}.safetensors`), model, "student");
  const student = new Student(ops, model, new Map(), weights);
  const { tensors } = await readSafetensors(fixture(`${name}.expected.safetensors`));
  const expected = new Map([...tensors].map(([key, tensor]) => [key, toFloat32(tensor)]));
  const shapeOf = (key: string) => tensors.get(key)?.shape;
  const batch = Object.fromEntries(
    ["tokens", "types", "mask", "label"].map((key) => [key, ops.tensor(expected.get(key)!, shapeOf(key))]),
  );
  const forward = (training = false, inputs: Record<string, Tensor> = batch, seed = 0): ModelOutputs =>
    model.forward({ ops, weights: student.weights(), batch: inputs, training, randomSeed: () => ++seed });
  return { model, weights, student, expected, shapeOf, batch, forward };
}

/** Everything that an encoder gives, by the names in make.py. */
export function namedOutputs(outputs: ModelOutputs): Map<string, Tensor> {
  const { logits, pooled, features, hidden, attention, scores, relations } = outputs;
  const list = (name: string, tensors: readonly Tensor[]) =>
    tensors.map((tensor, layer) => [`${name}.${layer}`, tensor] as const);
  return new Map([
    ["logits", logits],
    ["pooled", pooled],
    ["embeddings", features.embeddings],
    ...list("hidden", hidden),
    ...list("attention", attention),
    ...list("scores", scores!),
    ...list("queries", relations!.map(({ queries }) => queries)),
    ...list("keys", relations!.map(({ keys }) => keys)),
    ...list("values", relations!.map(({ values }) => values)),
  ]);
}

import { upload } from "../../core/plugin/batch.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Batch, HostTensor } from "../../core/plugin/dataset.ts";
import type { Weights } from "../../core/nn/weights.ts";
import { type Model, TEXT_INPUTS } from "../../core/plugin/model.ts";
import { readSafetensors, toFloat32, writeSafetensors } from "../../core/safetensors.ts";
import type { Sample } from "./samples.ts";

/** Tensors under transformers' names, as transformers_student.py describes them. */
export type Probe = ReadonlyMap<string, HostTensor>;

/** A batch under transformers' names, without what the model does not take. */
function inputsOf({ textInputs }: Model, { image, ...text }: Batch<HostTensor>): Probe {
  if (image) return new Map([["pixel_values", moveChannels(image, true)]]);
  return new Map(textInputs!.map((name) => [TEXT_INPUTS[name], text[name]]));
}

/** A batch of ours from transformers' inputs. */
export function batchOf(probe: Probe): Batch<HostTensor> {
  const image = probe.get("pixel_values");
  if (image) return { image: moveChannels(image, false) };
  const tokens = probe.get(TEXT_INPUTS.tokens)!;
  const none = { data: new Float32Array(tokens.data.length), shape: tokens.shape };
  return { tokens, mask: probe.get(TEXT_INPUTS.mask)!, types: probe.get(TEXT_INPUTS.types) ?? none };
}

/** Images from channels last to channels first, or back. */
function moveChannels({ data, shape }: HostTensor, first: boolean): HostTensor {
  const [batch, height, width, channels] = first ? shape : [shape[0], shape[2], shape[3], shape[1]];
  const moved = new Float32Array(data.length);
  const area = height * width;
  for (let index = 0; index < data.length; index++) {
    const channel = index % channels;
    const place = Math.floor(index / channels) % area;
    const image = Math.floor(index / (channels * area));
    const other = (image * channels + channel) * area + place;
    if (first) moved[other] = data[index];
    else moved[index] = data[other];
  }
  return { data: moved, shape: first ? [batch, channels, height, width] : [batch, height, width, channels] };
}

/** Logits and hidden states of a model, under transformers' names. */
export async function outputsOf(ops: Ops, model: Model, weights: Weights, batch: Batch<HostTensor>): Promise<Probe> {
  const noSeed = () => {
    throw new Error("A model asked for a random number in evaluation");
  };
  const tensors = ops.scope(() => {
    const inputs = upload(ops, batch);
    const outputs = model.forward({ ops, weights, batch: inputs, training: false, randomSeed: noSeed });
    const hidden = [outputs.features.embeddings, ...outputs.hidden];
    // Behind the last block of a ViT, some versions of transformers give the state behind the last norm.
    return [outputs.logits, ...(batch.image ? hidden.slice(0, -1) : hidden)];
  });
  const numbers = await ops.read(tensors);
  tensors.forEach((tensor) => tensor.dispose());
  const name = (index: number) => index === 0 ? "logits" : `hidden_states.${index - 1}`;
  return new Map(tensors.map(({ shape }, index) => [name(index), { data: numbers[index] as Float32Array, shape }]));
}

/** Writes a probe of a model: what it is given, and what it makes of it. */
export async function writeProbe(
  file: string,
  model: Model,
  batch: Batch<HostTensor>,
  outputs: Probe,
  { texts, pixels }: Pick<Sample, "texts" | "pixels">,
): Promise<void> {
  const images: Probe = new Map(pixels && [["pixels", pixels]]);
  const tensors = new Map([...inputsOf(model, batch), ...images, ...outputs]);
  await writeSafetensors(file, tensors, { texts: JSON.stringify(texts) });
}

/** Reads a probe, and the texts in its metadata. */
export async function readProbe(file: string): Promise<{ readonly probe: Probe; readonly texts: readonly unknown[] }> {
  const { tensors, metadata } = await readSafetensors(file);
  const probe = new Map([...tensors].map(([name, tensor]) => [name, { data: toFloat32(tensor), shape: tensor.shape }]));
  return { probe, texts: JSON.parse(metadata.texts ?? "[]") };
}

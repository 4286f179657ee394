/**
 * The encoders of the benchmark, in the shape of BERT, and what a step of them starts from. `peers/encoder.py` holds
 * the one other copy; the losses show that the two agree.
 */
import type { AdamwOptions } from "../../core/nn/optimisers.ts";
import type { Parameter } from "./workload.ts";
import { uniform } from "./uniform.ts";

/** Sizes of an encoder and of the texts in a batch, which fill all of its positions. */
export interface EncoderSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocabulary: number;
  readonly batch: number;
  readonly length: number;
  /** Losses of the first three steps, from PyTorch; an untrained network is near ln 2 = 0.69 on two classes. */
  readonly losses: readonly [number, number, number];
}

/**
 * The teacher of mail.yaml; all-MiniLM-L6-v2, as it is fine-tuned; and one layer of BERT-base with a sixth of the
 * words, for six or twelve of them.
 */
export const encoders = {
  "encoder-mail": {
    layers: 4,
    width: 96,
    heads: 4,
    ffn: 192,
    vocabulary: 2500,
    batch: 32,
    length: 96,
    losses: [0.69336, 0.69141, 0.68946],
  },
  "encoder-minilm": {
    layers: 6,
    width: 384,
    heads: 12,
    ffn: 1536,
    vocabulary: 30522,
    batch: 32,
    length: 96,
    losses: [0.70133, 0.67895, 0.60235],
  },
  "encoder-base": {
    layers: 1,
    width: 768,
    heads: 12,
    ffn: 3072,
    vocabulary: 5087,
    batch: 32,
    length: 128,
    losses: [0.73585, 0.67226, 0.54350],
  },
} as const satisfies Readonly<Record<string, EncoderSizes>>;
export type EncoderCase = keyof typeof encoders;

/** Whether a case is that of an encoder. */
export function isEncoderCase(name: string): name is EncoderCase {
  return Object.hasOwn(encoders, name);
}

/** AdamW's settings, as fine-tuning has them. */
export const adamw: AdamwOptions & { readonly learningRate: number; readonly weightDecay: number } = {
  use: "adamw",
  learningRate: 1e-4,
  betas: [0.9, 0.999],
  epsilon: 1e-6,
  weightDecay: 0.01,
};

/** What a step of an encoder starts from. */
export interface EncoderInputs {
  readonly sizes: EncoderSizes;
  /** [batch, length]: no padding, so that every engine does the same work. */
  readonly tokens: Float32Array<ArrayBuffer>;
  /** [batch]: one class and the other in turn. */
  readonly labels: Float32Array<ArrayBuffer>;
  readonly parameters: Parameter[];
}

/** Makes the inputs of an encoder. */
export function encoderInputs(name: EncoderCase): EncoderInputs {
  const sizes: EncoderSizes = encoders[name];
  const { batch, length, vocabulary } = sizes;
  return {
    sizes,
    tokens: uniform(5, batch * length).map((value) => Math.floor((value + 1) / 2 * vocabulary)),
    labels: Float32Array.from({ length: batch }, (_, text) => text % 2),
    parameters: parametersOf(sizes),
  };
}

/** In the order of transformers' BertForSequenceClassification: matrices of deviation 0.02, norms at one and zero. */
function parametersOf({ layers, width, ffn, vocabulary, length }: EncoderSizes): Parameter[] {
  const list: Parameter[] = [];
  const matrix = (name: string, rows: number, columns: number) => {
    const values = uniform(200 + list.length, rows * columns, Math.sqrt(3) * 0.02);
    list.push({ name: `${name}.weight`, shape: [rows, columns], values });
  };
  const constant = (name: string, size: number, value: number) =>
    list.push({ name, shape: [size], values: new Float32Array(size).fill(value) });
  const linear = (name: string, outputs: number, inputs: number) => {
    matrix(name, outputs, inputs);
    constant(`${name}.bias`, outputs, 0);
  };
  const norm = (name: string) => {
    constant(`${name}.weight`, width, 1);
    constant(`${name}.bias`, width, 0);
  };
  for (const [table, rows] of [["word", vocabulary], ["position", length], ["token_type", 2]] as const) {
    matrix(`bert.embeddings.${table}_embeddings`, rows, width);
  }
  norm("bert.embeddings.LayerNorm");
  for (let layer = 0; layer < layers; layer++) {
    const at = `bert.encoder.layer.${layer}`;
    for (const role of ["query", "key", "value"]) linear(`${at}.attention.self.${role}`, width, width);
    linear(`${at}.attention.output.dense`, width, width);
    norm(`${at}.attention.output.LayerNorm`);
    linear(`${at}.intermediate.dense`, ffn, width);
    linear(`${at}.output.dense`, width, ffn);
    norm(`${at}.output.LayerNorm`);
  }
  linear("bert.pooler.dense", width, width);
  linear("classifier", 2, width);
  return list;
}

/**
 * Floating-point operations of a training step, a fused multiply-add counted as two: the products of matrices, forward
 * and, twice as much, backward. The gradient by the embeddings needs no product.
 */
export function encoderOperations({ layers, width, ffn, batch, length }: EncoderSizes): number {
  const tokens = batch * length;
  const layer = 2 * tokens * (4 * width * width + 2 * width * ffn) + 4 * tokens * length * width;
  return 3 * (layers * layer + 2 * batch * width * (width + 2));
}

/**
 * What every engine of the benchmark computes: the same numbers in, the same network, the same count of operations.
 * `peers/` holds the one other copy, since it cannot import this file; the losses show that the two agree.
 */

import { type EncoderInputs, encoderInputs } from "./encoders.ts";
import { uniform } from "./uniform.ts";

/** What is timed. */
export const cases = [
  "matmul",
  "attention",
  "resnet8",
  "inference",
  "encoder-mail",
  "encoder-minilm",
  "encoder-base",
  "decompose",
  "decompose-3072",
  "overhead",
] as const;
export type Case = typeof cases[number];

/** Rows and columns of the matrix product. */
export const matmulSize = 1024;

/** The batched products of attention: heads of all texts, tokens of a text, and numbers of a token in a head. */
export const attentionSizes = { heads: 384, length: 128, width: 64 } as const;

/**
 * First and last factor of the rows, and of the columns, of the matrices that are decomposed: those of BERT-base, with
 * interleaved forms of 1024x576 and 2048x1152.
 */
export const decompositions = {
  "decompose": { rows: [32, 24], cols: [32, 24] },
  "decompose-3072": { rows: [64, 48], cols: [32, 24] },
} as const;
export type DecompositionCase = keyof typeof decompositions;

/** Largest singular values of the interleaved matrices, from NumPy. */
export const expectedNorms: Readonly<Record<DecompositionCase, number>> = {
  "decompose": 32.24670,
  "decompose-3072": 45.61543,
};

/** Rows and columns of the matrix of a decomposition. */
export function matrixSize(name: DecompositionCase): readonly [rows: number, cols: number] {
  const { rows, cols } = decompositions[name];
  return [rows[0] * rows[1], cols[0] * cols[1]];
}

function decomposed(name: DecompositionCase): Float32Array<ArrayBuffer> {
  const [rows, cols] = matrixSize(name);
  return uniform(3, rows * cols);
}

/** Dispatches of a step that computes next to nothing. */
export const overheadDispatches = 300;

export const batchSize = 32;
/** Images that a trained ResNet-8 answers at once. */
export const inferenceBatch = 128;
export const imageSize = 28;
export const classes = 10;
export const learningRate = 0.05;
export const momentum = 0.9;
export const normEpsilon = 1e-5;
/** How far the running statistics of a batch norm move towards those of the batch. */
export const normMomentum = 0.1;

/** The numbers that a case starts from. */
export interface Inputs {
  /**
   * Operands of the product chain x <- a x, both 1024x1024. Each product needs the one before it, so that no engine can
   * skip one; the entries of `a` have variance 1/1024, so that x neither grows nor fades.
   */
  matmul: { a: Float32Array<ArrayBuffer>; x: Float32Array<ArrayBuffer> };
  /**
   * Operands of x <- (x k^T) v, each [heads, length, width], with k and v of such variances that x neither grows nor
   * fades.
   */
  attention: { x: Float32Array<ArrayBuffer>; k: Float32Array<ArrayBuffer>; v: Float32Array<ArrayBuffer> };
  /**
   * Images of unit variance, [batch, 28, 28, 1] (or [batch, 1, 28, 28]: one channel makes them the same), the class
   * of each, and the network's weights.
   */
  resnet8: { images: Float32Array<ArrayBuffer>; labels: Int32Array<ArrayBuffer>; parameters: Parameter[] };
  /** Images [batch, 28, 28, 1], and the weights before training with statistics of mean 0 and variance 1. */
  inference: { images: Float32Array<ArrayBuffer>; parameters: Parameter[] };
  "encoder-mail": EncoderInputs;
  "encoder-minilm": EncoderInputs;
  "encoder-base": EncoderInputs;
  /** The matrix to decompose, row-major. */
  decompose: Float32Array<ArrayBuffer>;
  "decompose-3072": Float32Array<ArrayBuffer>;
  /** How many dispatches. */
  overhead: number;
}

/** How the inputs of each case are made; engines are not timed for it. */
export const makeInputs: { [C in Case]: () => Inputs[C] } = {
  matmul: () => ({
    a: uniform(1, matmulSize ** 2, Math.sqrt(3 / matmulSize)),
    x: uniform(2, matmulSize ** 2),
  }),
  attention: () => {
    const { heads, length, width } = attentionSizes, count = heads * length * width;
    return {
      x: uniform(6, count),
      k: uniform(7, count, Math.sqrt(3 / width)),
      v: uniform(8, count, Math.sqrt(3 / length)),
    };
  },
  resnet8: () => ({
    images: uniform(4, batchSize * imageSize ** 2, Math.sqrt(3)),
    labels: Int32Array.from({ length: batchSize }, (_, i) => i % classes),
    parameters: parameters(),
  }),
  inference: () => ({
    images: uniform(9, inferenceBatch * imageSize ** 2, Math.sqrt(3)),
    parameters: parameters(),
  }),
  "encoder-mail": () => encoderInputs("encoder-mail"),
  "encoder-minilm": () => encoderInputs("encoder-minilm"),
  "encoder-base": () => encoderInputs("encoder-base"),
  decompose: () => decomposed("decompose"),
  "decompose-3072": () => decomposed("decompose-3072"),
  overhead: () => overheadDispatches,
};

/**
 * Losses of the first three steps, from PyTorch; an untrained network is near ln 10 = 2.30 on ten classes. Rounding has
 * not yet driven engines apart, so that whoever computes the same network, gradients and update has the same.
 */
export const expectedLosses = [2.35527, 2.33465, 2.30092];

/** The first logit of the first image before training, from PyTorch. */
export const expectedLogit = 1.14787;

/** A convolution of ResNet-8, followed by the batch norm `norm`. */
export interface Convolution {
  name: string;
  norm: string;
  inputs: number;
  outputs: number;
  kernel: number;
  stride: number;
  /** Height and width of its output. */
  outputSize: number;
}

/** A basic block: two 3x3 convolutions and, where the shape changes, a projection beside them. */
export interface Block {
  convolutions: [Convolution, Convolution];
  projection?: Convolution;
}

export const stem: Convolution = {
  name: "conv1",
  norm: "bn1",
  inputs: 1,
  outputs: 16,
  kernel: 3,
  stride: 1,
  outputSize: imageSize,
};

export const blocks: Block[] = [block(1, 16, 16, 1, 28), block(2, 16, 32, 2, 14), block(3, 32, 64, 2, 7)];

function block(stage: number, inputs: number, outputs: number, stride: number, outputSize: number): Block {
  const at = `layer${stage}.0`;
  const same = { outputs, outputSize };
  const result: Block = {
    convolutions: [
      { name: `${at}.conv1`, norm: `${at}.bn1`, inputs, kernel: 3, stride, ...same },
      { name: `${at}.conv2`, norm: `${at}.bn2`, inputs: outputs, kernel: 3, stride: 1, ...same },
    ],
  };
  if (inputs !== outputs || stride !== 1) {
    result.projection = { name: `${at}.downsample.0`, norm: `${at}.downsample.1`, inputs, kernel: 1, stride, ...same };
  }
  return result;
}

/** All convolutions, in the order of PyTorch's `named_parameters()`. */
export const convolutions: Convolution[] = [
  stem,
  ...blocks.flatMap((b) => b.projection ? [...b.convolutions, b.projection] : b.convolutions),
];

/** A trained tensor at the start: torchvision's name, PyTorch's axis order. */
export interface Parameter {
  name: string;
  shape: number[];
  values: Float32Array<ArrayBuffer>;
}

/**
 * In PyTorch's order: He-uniform convolutions [outputs, inputs, kernel, kernel], batch norms at one and zero, a small
 * linear layer.
 */
function parameters(): Parameter[] {
  const list: Parameter[] = [];
  const random = (name: string, shape: number[], bound: number) =>
    list.push({ name, shape, values: uniform(100 + list.length, shape.reduce((a, b) => a * b), bound) });
  const constant = (name: string, size: number, value: number) =>
    list.push({ name, shape: [size], values: new Float32Array(size).fill(value) });
  for (const { name, norm, inputs, outputs, kernel } of convolutions) {
    random(`${name}.weight`, [outputs, inputs, kernel, kernel], Math.sqrt(6 / (inputs * kernel * kernel)));
    constant(`${norm}.weight`, outputs, 1);
    constant(`${norm}.bias`, outputs, 0);
  }
  random("fc.weight", [classes, 64], Math.sqrt(1 / 64));
  constant("fc.bias", classes, 0);
  return list;
}

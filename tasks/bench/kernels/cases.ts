import { chainParameterCount } from "../../../core/mpo/shapes.ts";
import { coreShape } from "../../../core/mpo/chain.ts";
import { mergeChain } from "../../../core/mpo/merge_chain.ts";
import { createOptimiser } from "../../../core/nn/optimisers.ts";
import { ParameterStore } from "../../../core/nn/parameter_store.ts";
import { batchNorm } from "../../../core/ops/batch_norm.ts";
import { conv2d } from "../../../core/ops/conv2d.ts";
import { embedding } from "../../../core/ops/embedding.ts";
import { layerNorm } from "../../../core/ops/layer_norm.ts";
import { maskedSoftmax } from "../../../core/ops/masked_softmax.ts";
import { maxPool2d } from "../../../core/ops/pool2d.ts";
import type { Op } from "../../../core/ops/op.ts";
import type { Ops } from "../../../core/ops/ops.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { uniform } from "../uniform.ts";

/** A case's tensors, and how it is computed with them. */
export interface Prepared {
  /** What has to be read, and what is read and written. */
  readonly reads: readonly Tensor[];
  /** Enqueues the kernels. @returns what they write */
  readonly compute: () => readonly Tensor[];
  /** Frees what was made beside tensors of the device. */
  readonly dispose?: () => void;
}

/** One computation of a known network at its real size. */
export interface KernelCase {
  readonly network: "BERT-base" | "ResNet-18" | "ResNet-50" | "chain";
  readonly name: string;
  /** What goes in, for people. */
  readonly size: string;
  /** Floating-point operations as everybody counts them; left out: those that the kernels state. */
  readonly operations?: number;
  /** Makes the tensors; the same numbers on every backend. */
  readonly prepare: (ops: Ops) => Prepared;
}

/** Examples in a batch: a size that a GPU trains with, and one that a processor gets through. */
export const BATCHES = { full: 32, reduced: 2 } as const;

/** Extents of BERT-base, and the tokens of a text. */
const [LENGTH, WIDTH, INNER, HEADS, WORDS] = [128, 768, 3072, 12, 30522];

/** A tensor of reproducible numbers in [-1, 1). */
const random = (ops: Ops, seed: number, shape: readonly number[]): Tensor =>
  ops.tensor(uniform(seed, sizeOf(shape)), shape);

const whole = (ops: Ops, shape: readonly number[], of: (i: number) => number): Tensor =>
  ops.tensor(Float32Array.from({ length: sizeOf(shape) }, (_, i) => of(i)), shape);

/** The forward pass of an operation. */
function forward(ops: Ops, inputs: readonly Tensor[], compute: () => Tensor): Prepared {
  return { reads: inputs, compute: () => [ops.constant(compute)] };
}

/**
 * The gradients of an operation, those of `needs`; the forward pass is not measured.
 *
 * @param reads what a gradient has to read beside d loss / d output: by the inputs and the output
 */
function backward<Arguments extends unknown[], Saved>(
  ops: Ops,
  op: Op<Arguments, Saved>,
  needs: readonly boolean[],
  reads: (output: Tensor) => readonly Tensor[],
  ...args: Arguments
): Prepared {
  const { output, saved } = op.forward(ops.device, ...args);
  const gradient = random(ops, 9, output.shape);
  const call = { output, gradient, saved, needs };
  return {
    reads: [gradient, ...reads(output)],
    compute: () => op.backward(ops.device, call, ...args).filter((tensor) => tensor !== null),
  };
}

/** Everything that a training step of these networks spends its time on, at a batch of so many examples. */
export function kernelCases(batch: number): KernelCase[] {
  return [...encoderCases(batch), ...networkCases(batch), ...chainCases()];
}

function encoderCases(texts: number): KernelCase[] {
  const rows = texts * LENGTH;
  const hidden = [rows, WIDTH];
  const scores = [texts, HEADS, LENGTH, LENGTH];
  const vectors = [texts, HEADS, LENGTH, WIDTH / HEADS];
  const product = 2 * rows * WIDTH;
  const attention = 2 * sizeOf(scores) * WIDTH / HEADS;
  const mask = (ops: Ops) => whole(ops, [texts, LENGTH], (i) => Number(i % LENGTH < LENGTH - 8));
  const tokens = (ops: Ops) => whole(ops, [rows], (i) => (i * 7919) % WORDS);
  const of = (name: string, size: string, prepare: KernelCase["prepare"], operations?: number): KernelCase => {
    return { network: "BERT-base", name, size, prepare, operations };
  };
  const linear = (name: string, inputs: number, outputs: number) =>
    of(name, `${rows} x ${inputs} x ${outputs}`, (ops) => {
      const [x, weight, bias] = [[rows, inputs], [outputs, inputs], [outputs]].map((shape, i) => random(ops, i, shape));
      return forward(ops, [x, weight, bias], () => ops.linear(x, weight, bias));
    }, 2 * rows * inputs * outputs);
  return [
    linear("linear layer", WIDTH, WIDTH),
    linear("linear layer", WIDTH, INNER),
    linear("linear layer", INNER, WIDTH),
    of("gradient by inputs", `${rows} x ${INNER} x ${WIDTH}`, (ops) => {
      const [gradient, weight] = [[rows, INNER], [INNER, WIDTH]].map((shape, i) => random(ops, i, shape));
      return forward(ops, [gradient, weight], () => ops.matmul(gradient, weight));
    }, product * INNER),
    of("gradient by weight", `${INNER} x ${rows} x ${WIDTH}`, (ops) => {
      const [gradient, x] = [[rows, INNER], hidden].map((shape, i) => random(ops, i, shape));
      return forward(ops, [gradient, x], () => ops.matmul(gradient, x, { transposeA: true }));
    }, product * INNER),
    of("gradient by bias", `${rows} x ${INNER}`, (ops) => {
      const x = random(ops, 1, [rows, INNER]);
      return forward(ops, [x], () => ops.sum(x, { axes: [0] }));
    }, rows * INNER),
    of("attention scores", vectors.join(" x "), (ops) => {
      const [queries, keys] = [1, 2].map((seed) => random(ops, seed, vectors));
      return forward(ops, [queries, keys], () => ops.matmul(queries, keys, { transposeB: true }));
    }, attention),
    of("attention context", scores.join(" x "), (ops) => {
      const [probabilities, values] = [random(ops, 1, scores), random(ops, 2, vectors)];
      return forward(ops, [probabilities, values], () => ops.matmul(probabilities, values));
    }, attention),
    of("masked softmax", scores.join(" x "), (ops) => {
      const [x, seen] = [random(ops, 1, scores), mask(ops)];
      return forward(ops, [x, seen], () => ops.maskedSoftmax(x, seen));
    }),
    of("masked softmax, gradient", scores.join(" x "), (ops) => {
      return backward(ops, maskedSoftmax, [true], (output) => [output], random(ops, 1, scores), mask(ops));
    }),
    of("layer norm", hidden.join(" x "), (ops) => {
      const [x, weight, bias] = [hidden, [WIDTH], [WIDTH]].map((shape, i) => random(ops, i, shape));
      return forward(ops, [x, weight, bias], () => ops.layerNorm(x, weight, bias));
    }),
    of("layer norm, gradients", hidden.join(" x "), (ops) => {
      const [x, weight, bias] = [hidden, [WIDTH], [WIDTH]].map((shape, i) => random(ops, i, shape));
      return backward(ops, layerNorm, [true, true, true], () => [x, weight], x, weight, bias);
    }),
    of("gelu", `${rows} x ${INNER}`, (ops) => {
      const x = random(ops, 1, [rows, INNER]);
      return forward(ops, [x], () => ops.gelu(x));
    }),
    of("residual sum", hidden.join(" x "), (ops) => {
      const [x, y] = [1, 2].map((seed) => random(ops, seed, hidden));
      return forward(ops, [x, y], () => ops.add(x, y));
    }),
    of("heads apart (permute)", `${texts} x ${LENGTH} x ${HEADS} x ${WIDTH / HEADS}`, (ops) => {
      const x = random(ops, 1, [texts, LENGTH, HEADS, WIDTH / HEADS]);
      return forward(ops, [x], () => ops.permute(x, [0, 2, 1, 3]));
    }),
    of("embedding", `${rows} of ${WORDS} x ${WIDTH}`, (ops) => {
      const [table, indices] = [random(ops, 1, [WORDS, WIDTH]), tokens(ops)];
      // Only the rows that are looked up are read.
      return forward(ops, [indices, ops.device.alias(table, hidden)], () => ops.embedding(table, indices));
    }),
    of("embedding, gradient", `${rows} of ${WORDS} x ${WIDTH}`, (ops) => {
      return backward(ops, embedding, [true, false], () => [], random(ops, 1, [WORDS, WIDTH]), tokens(ops));
    }),
    of("AdamW", `${INNER * WIDTH}`, (ops) => {
      const store = new ParameterStore(ops, [{ name: "weight", shape: [INNER, WIDTH] }]);
      store.set("weight", uniform(1, INNER * WIDTH));
      const optimiser = createOptimiser(ops, store, { use: "adamw", betas: [0.9, 0.999], epsilon: 1e-8 });
      const [{ flat, gradient }] = store.parts;
      ops.device.copy(random(ops, 2, [INNER * WIDTH]), gradient);
      const gradientScale = ops.full([1], 1);
      return {
        // Both averages are read and written.
        reads: [flat, gradient, ...Array(4).fill(flat)],
        compute: () => {
          optimiser.step({ rate: 1e-3, weightDecay: 0.01, gradientScale, step: 1 });
          return [flat];
        },
        dispose: () => {
          optimiser.dispose();
          store.dispose();
        },
      };
    }),
  ];
}

/** A convolution: pixels of a side and channels of its input, filters, taps of a side, stride. */
interface Convolution {
  readonly network: "ResNet-18" | "ResNet-50";
  readonly side: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly taps: number;
  readonly stride: number;
}

const CONVOLUTIONS: readonly Convolution[] = [
  { network: "ResNet-18", side: 224, inputs: 3, outputs: 64, taps: 7, stride: 2 },
  { network: "ResNet-18", side: 56, inputs: 64, outputs: 64, taps: 3, stride: 1 },
  { network: "ResNet-18", side: 56, inputs: 64, outputs: 128, taps: 3, stride: 2 },
  { network: "ResNet-18", side: 28, inputs: 128, outputs: 128, taps: 3, stride: 1 },
  { network: "ResNet-18", side: 14, inputs: 256, outputs: 256, taps: 3, stride: 1 },
  { network: "ResNet-18", side: 7, inputs: 512, outputs: 512, taps: 3, stride: 1 },
  { network: "ResNet-50", side: 56, inputs: 64, outputs: 256, taps: 1, stride: 1 },
  { network: "ResNet-50", side: 14, inputs: 1024, outputs: 256, taps: 1, stride: 1 },
];

function networkCases(images: number): KernelCase[] {
  const pixels = [images, 56, 56, 64];
  const of = (name: string, shape: readonly number[], prepare: KernelCase["prepare"]): KernelCase => {
    return { network: "ResNet-18", name, size: shape.join(" x "), prepare };
  };
  const norm = (ops: Ops) => {
    const [x, weight, bias, runningMean] = [pixels, [64], [64], [64]].map((shape, i) => random(ops, i, shape));
    const options = { training: true, activation: "relu" as const, runningMean, runningVariance: ops.full([64], 1) };
    return { x, weight, bias, options };
  };
  return [
    ...CONVOLUTIONS.flatMap((convolution) => convolutionCases(images, convolution)),
    of("batch norm, relu", pixels, (ops) => {
      const { x, weight, bias, options } = norm(ops);
      return forward(ops, [x, x, weight, bias], () => ops.batchNorm(x, weight, bias, options));
    }),
    of("batch norm, relu, gradients", pixels, (ops) => {
      const { x, weight, bias, options } = norm(ops);
      const reads = (output: Tensor) => [x, output, weight];
      return backward(ops, batchNorm, [true, true, true], reads, x, weight, bias, options);
    }),
    of("max pool 3 x 3, stride 2", [images, 112, 112, 64], (ops) => {
      const x = random(ops, 1, [images, 112, 112, 64]);
      return forward(ops, [x], () => ops.maxPool2d(x, { size: 3, stride: 2, padding: 1 }));
    }),
    of("max pool, gradient", [images, 112, 112, 64], (ops) => {
      const x = random(ops, 1, [images, 112, 112, 64]);
      return backward(ops, maxPool2d, [true], (output) => [output], x, { size: 3, stride: 2, padding: 1 });
    }),
    of("sum of all numbers", pixels, (ops) => {
      const x = random(ops, 1, pixels);
      return forward(ops, [x], () => ops.sum(x));
    }),
  ];
}

function convolutionCases(images: number, convolution: Convolution): KernelCase[] {
  const { network, side, inputs, outputs, taps, stride } = convolution;
  const options = { stride, padding: taps >> 1 };
  const operations = 2 * images * Math.ceil(side / stride) ** 2 * outputs * inputs * taps ** 2;
  const size = `${images} x ${side} x ${side} x ${inputs}, ${outputs} of ${taps} x ${taps}${
    stride > 1 ? `/${stride}` : ""
  }`;
  const tensors = (ops: Ops): [Tensor, Tensor] => [
    random(ops, 1, [images, side, side, inputs]),
    random(ops, 2, [outputs, inputs, taps, taps]),
  ];
  const gradients = (ops: Ops, needs: readonly boolean[], reads: (x: Tensor, filter: Tensor) => Tensor[]) => {
    const [x, filter] = tensors(ops);
    return backward(ops, conv2d, needs, () => reads(x, filter), x, filter, options);
  };
  const of = (name: string, prepare: KernelCase["prepare"]): KernelCase => ({
    network,
    name,
    size,
    operations,
    prepare,
  });
  return [
    of("convolution", (ops) => {
      const [x, filter] = tensors(ops);
      return forward(ops, [x, filter], () => ops.conv2d(x, filter, options));
    }),
    // Nobody asks for the gradient by the images themselves.
    ...(inputs === 3
      ? []
      : [of("convolution, gradient by x", (ops) => gradients(ops, [true, false], (_x, filter) => [filter]))]),
    of("convolution, gradient by filter", (ops) => gradients(ops, [false, true], (x) => [x])),
  ];
}

/** A chain of five cores for a matrix of BERT-base, whole bonds. */
function chainCases(): KernelCase[] {
  const factors = { rows: [32, 1, 1, 1, 24], cols: [32, 1, 1, 1, 24] };
  const bonds = [1, 576, 576, 576, 576, 1];
  const { rows, cols } = factors;
  const size = `5 cores, ${chainParameterCount(rows, cols, bonds)} numbers`;
  // So that what is contracted stays of the size that it has.
  const cores = (ops: Ops) =>
    rows.map((_, core) => ops.scale(random(ops, core, coreShape({ ...factors, bonds }, core)), 1 / 14));
  return [
    {
      network: "chain",
      name: "merged to 768 x 768",
      size,
      prepare: (ops) => {
        const own = cores(ops);
        return forward(ops, own, () => mergeChain(ops, own, rows, cols));
      },
    },
    {
      network: "chain",
      name: "merged, and all gradients",
      size,
      prepare: (ops) => {
        const own = cores(ops);
        const loss = () => ops.sum(ops.square(mergeChain(ops, own, rows, cols)));
        return {
          reads: own,
          compute: () => ops.differentiate(loss, own).gradients.map((gradient) => gradient!),
        };
      },
    },
  ];
}

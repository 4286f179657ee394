import type { Device } from "../device.ts";
import { batchNormKernel, batchNormMomentsKernel, batchNormStatisticsKernel } from "../kernels/batch_norm.ts";
import {
  batchNormCoefficientsKernel,
  batchNormGradientKernel,
  batchNormSumsKernel,
} from "../kernels/batch_norm_gradient.ts";
import { elementsOf } from "../kernels/elements.ts";
import { unaryKernels } from "../kernels/elementwise.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { type Chunks, chunksOf } from "./chunks.ts";
import { defineOp, type Op } from "./op.ts";

/** How batch norm takes its statistics, and what follows it in the same pass. */
export interface BatchNormOptions {
  /** Mean per channel over all training batches: read in evaluation, updated in place in training. */
  readonly runningMean: Tensor;
  /** The variance likewise. */
  readonly runningVariance: Tensor;
  /** With the batch's own statistics (true) or the running ones. */
  readonly training: boolean;
  /** Share of the new batch in the running statistics; 0.1 as in PyTorch. */
  readonly momentum?: number;
  /** Added to the variance; 1e-5 as in PyTorch. */
  readonly epsilon?: number;
  /** What follows, after the residual: max(0, .), or that and min(6, .). */
  readonly activation?: "relu" | "relu6";
}

/** The number of an activation in the kernel. */
export const ACTIVATIONS = { none: 0, relu: 1, relu6: 2 } as const;

/** What is added to the variance unless that is said: PyTorch's. */
export const BATCH_NORM_EPSILON = 1e-5;
const MOMENTUM = 0.1;

/**
 * On a software adapter there are as many chunks of rows as rows in one: the two sums, over a chunk and over the
 * chunks, are then equally long.
 */
function chunksOfRows(device: Device, rows: number, channels: number): Chunks {
  return chunksOf(device, { outer: 1, length: rows, inner: elementsOf(channels).width }, Math.ceil(Math.sqrt(rows)));
}

/** @throws RangeError if statistics, weights or a residual do not fit what is normalised */
export function checkBatchNorm(
  shape: readonly number[],
  vectors: readonly Tensor[],
  training: boolean,
  residual: Tensor | undefined,
): void {
  const channels = shape.at(-1) ?? 0;
  const action = `Cannot normalise ${showShape(shape)}`;
  for (const { size, shape } of vectors) {
    if (size !== channels) {
      throw new RangeError(`${action} with statistics of shape ${showShape(shape)}: expected [${channels}]`);
    }
  }
  if (training && sizeOf(shape) === channels) {
    throw new RangeError(`${action} by its own statistics: one value for each channel has no variance`);
  }
  if (residual && showShape(residual.shape) !== showShape(shape)) {
    throw new RangeError(
      `${action} and add a residual of shape ${showShape(residual.shape)}: the shapes must be equal`,
    );
  }
}

/** Mean and variance of the batch; the running ones are moved towards them. */
function batchMoments(device: Device, x: Tensor, { runningMean, runningVariance, momentum }: BatchNormOptions) {
  const channels = runningMean.size;
  const rows = x.size / channels;
  const parameters = { rows, channels, ...chunksOfRows(device, rows, channels) };
  const [sums, squares] = [0, 1].map(() => device.empty([parameters.chunks, channels]));
  const [mean, variance] = [0, 1].map(() => device.empty([channels]));
  device.run(batchNormStatisticsKernel, { x, sums, squares }, parameters);
  const tensors = { sums, squares, mean, variance, runningMean, runningVariance };
  device.run(batchNormMomentsKernel, tensors, { ...parameters, momentum: momentum ?? MOMENTUM });
  return { mean, variance };
}

type Arguments = [x: Tensor, weight: Tensor, bias: Tensor, options: BatchNormOptions, residual?: Tensor];

/**
 * Batch normalisation (Ioffe and Szegedy 2015) over all dimensions but the last: `x [..., channels]`,
 * `weight [channels]`, `bias [channels]`. In training the running statistics are updated, the variance with the
 * unbiased estimate as PyTorch does. A `residual` of the shape of x is added to the result, and an
 * `activation` follows: what a network has next, without another pass over the images.
 */
export const batchNorm: Op<Arguments> = defineOp({
  forward(device: Device, x: Tensor, weight: Tensor, bias: Tensor, options: BatchNormOptions, residual?: Tensor) {
    const { training, runningMean, runningVariance, epsilon = BATCH_NORM_EPSILON, activation = "none" } = options;
    checkBatchNorm(x.shape, [weight, bias, runningMean, runningVariance], training, residual);
    const channels = weight.size;
    const { mean, variance } = training
      ? batchMoments(device, x, options)
      : { mean: runningMean, variance: runningVariance };
    const y = device.empty(x.shape, device.formatOf(x));
    device.run(batchNormKernel, { x, mean, variance, weight, bias, added: residual ?? x, y }, {
      rows: x.size / channels,
      channels,
      epsilon,
      residual: residual ? 1 : 0,
      activation: ACTIVATIONS[activation],
    });
    return { output: y, saved: { mean, variance } };
  },
  backward(device, { output, gradient, saved: { mean, variance }, needs }, x, weight, bias, options, residual) {
    const { training, epsilon = BATCH_NORM_EPSILON, activation } = options;
    const channels = weight.size;
    const rows = x.size / channels;
    // What is positive after relu, and less than 6 after relu6, passed it unchanged.
    let g = gradient;
    if (activation) {
      g = device.empty(x.shape, x.format);
      device.run(unaryKernels[activation].dx, { input: output, gradient, output: g }, { size: x.size, c: 0 });
    }
    const parameters = { rows, channels, ...chunksOfRows(device, rows, channels) };
    const [sums, products] = [0, 1].map(() => device.empty([parameters.chunks, channels]));
    device.run(batchNormSumsKernel, { x, gradient: g, mean, sums, products }, parameters);
    const [weightGradient, biasGradient] = [weight, bias].map(({ shape }) => device.empty(shape));
    const coefficients = device.empty([4, channels]);
    const tensors = { sums, products, mean, variance, weight, weightGradient, biasGradient, coefficients };
    const { chunks } = parameters;
    device.run(batchNormCoefficientsKernel, tensors, { rows, channels, chunks, epsilon, training: training ? 1 : 0 });
    let dx: Tensor | null = null;
    if (needs[0]) {
      dx = device.empty(x.shape, x.format);
      device.run(batchNormGradientKernel, { x, gradient: g, coefficients, dx }, { rows, channels });
    }
    // Running statistics are not differentiated: they stand in the options, not among the tensors.
    return residual ? [dx, weightGradient, biasGradient, g] : [dx, weightGradient, biasGradient];
  },
});

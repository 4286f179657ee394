import type { Device } from "../device.ts";
import {
  batchNormGradientKernel,
  batchNormKernel,
  batchNormSumsKernel,
  centredSquaresKernel,
  movingAverageKernel,
} from "../kernels/batch_norm.ts";
import { showShape, type Tensor } from "../tensor.ts";
import { defineOp } from "./op.ts";
import { sumOver } from "./sum.ts";

/** How batch norm takes its statistics. */
export interface BatchNormOptions {
  /** Mean and variance per channel over all training batches: read in evaluation, updated in place in training. */
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  /** With the batch's own statistics (true) or the running ones. */
  readonly training: boolean;
  /** Share of the new batch in the running statistics; 0.1 as in PyTorch. */
  readonly momentum?: number;
  /** Added to the variance; 1e-5 as in PyTorch. */
  readonly epsilon?: number;
}

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** Long columns are summed in so many rows a piece on the GPU; the cpu needs no pieces. */
function chunksOf(device: Device, rows: number): { chunk: number; chunks: number } {
  const chunk = device.backend.name === "cpu" ? rows : Math.min(rows, Math.max(64, Math.ceil(rows / 512)));
  return { chunk, chunks: Math.ceil(rows / chunk) };
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015) over all dimensions but the last: `x [..., channels]`,
 * `weight [channels]`, `bias [channels]`. In training the running statistics are updated, the variance with the
 * unbiased estimate as PyTorch does.
 */
export const batchNorm = defineOp({
  forward(device: Device, x: Tensor, weight: Tensor, bias: Tensor, options: BatchNormOptions) {
    const { training, runningMean, runningVariance, momentum = MOMENTUM, epsilon = EPSILON } = options;
    const channels = x.shape.at(-1) ?? 0;
    for (const tensor of [weight, bias, runningMean, runningVariance]) {
      if (tensor.size !== channels) {
        throw new RangeError(
          `Cannot normalise ${showShape(x.shape)} with statistics of shape ${
            showShape(tensor.shape)
          }: expected [${channels}]`,
        );
      }
    }
    const rows = x.size / channels;
    if (training && rows === 1) {
      throw new RangeError(
        `Cannot normalise ${showShape(x.shape)} by its own statistics: one value for each channel has no variance`,
      );
    }
    let [mean, variance] = [runningMean, runningVariance];
    if (training) {
      mean = device.alias(sumOver(device, device.alias(x, [rows, channels]), new Set([0]), 1 / rows), [channels]);
      const chunks = chunksOf(device, rows);
      const squares = device.empty([chunks.chunks, channels]);
      device.run(centredSquaresKernel, { x, mean, output: squares }, { rows, channels, ...chunks });
      variance = device.alias(sumOver(device, squares, new Set([0]), 1 / rows), [channels]);
      const update = (average: Tensor, value: Tensor, factor: number) =>
        device.run(movingAverageKernel, { value, average }, { size: channels, momentum, factor });
      update(runningMean, mean, 1);
      update(runningVariance, variance, rows / Math.max(rows - 1, 1));
    }
    const y = device.empty(x.shape);
    device.run(batchNormKernel, { x, mean, variance, weight, bias, y }, { size: x.size, channels, epsilon });
    return { output: y, saved: { mean, variance } };
  },
  backward(device, { gradient, saved: { mean, variance }, needs }, x, weight, bias, { training, epsilon = EPSILON }) {
    const channels = weight.size;
    const rows = x.size / channels;
    const chunks = chunksOf(device, rows);
    const biasSums = device.empty([chunks.chunks, channels]);
    const weightSums = device.empty([chunks.chunks, channels]);
    const views = { x, gradient, mean, variance, biasSums, weightSums };
    device.run(batchNormSumsKernel, views, { rows, channels, ...chunks, epsilon });
    const biasGradient = device.alias(sumOver(device, biasSums, new Set([0])), bias.shape);
    const weightGradient = device.alias(sumOver(device, weightSums, new Set([0])), weight.shape);
    let dx: Tensor | null = null;
    if (needs[0]) {
      dx = device.empty(x.shape);
      const tensors = { x, gradient, mean, variance, weight, biasGradient, weightGradient, dx };
      device.run(batchNormGradientKernel, tensors, {
        size: x.size,
        channels,
        rows,
        epsilon,
        training: training ? 1 : 0,
      });
    }
    // Running statistics are not differentiated: they stand in the options, not among the tensors.
    return [dx, weightGradient, biasGradient];
  },
});

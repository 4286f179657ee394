import type { MatmulOptions } from "../../../core/ops/matmul.ts";
import type { PoolOptions } from "../../../core/ops/pool2d.ts";
import type { ConvOptions } from "../../../core/ops/window.ts";
import type { Case } from "./case.ts";

const product = (a: readonly number[], b: readonly number[], options?: MatmulOptions): Case => ({
  inputs: [{ shape: a }, { shape: b }],
  call: (ops, [x, y]) => ops.matmul(x, y, options),
});

const convolution = (x: readonly number[], filter: readonly number[], options?: ConvOptions): Case => ({
  inputs: [{ shape: x }, { shape: filter }],
  call: (ops, [images, weight]) => ops.conv2d(images, weight, options),
});

/** Numbers far enough apart that a finite difference never changes which one is largest. */
const largest = (shape: readonly number[], options: PoolOptions): Case => ({
  inputs: [{ shape, low: -2, high: 2 }],
  call: (ops, [x]) => ops.maxPool2d(x, options),
});

const means = (shape: readonly number[], options: PoolOptions): Case => ({
  inputs: [{ shape }],
  call: (ops, [x]) => ops.averagePool2d(x, options),
});

/** Products, convolutions and pools: odd extents beside multiples of four, and every way that dimensions broadcast. */
export const matmulConvCases = {
  matmul: [
    product([5, 7], [7, 3]),
    product([4, 8], [8, 12]),
    product([1, 9], [9, 1]),
    product([7, 5], [7, 3], { transposeA: true }),
    product([8, 12], [8, 4], { transposeA: true }),
    product([5, 7], [3, 7], { transposeB: true }),
    product([7, 5], [3, 7], { transposeA: true, transposeB: true }),
    product([3, 5, 4], [3, 4, 2]),
    product([2, 3, 4, 3], [3, 3, 4]),
    product([2, 3, 5], [5, 4]),
    product([2, 5, 3], [5, 4], { transposeA: true }),
    product([3, 5], [2, 5, 4]),
    product([2, 1, 3, 5], [1, 3, 5, 2]),
    product([2, 3, 5], [2, 4, 5], { transposeB: true }),
    // Long sums for a small result: on a GPU in parts.
    product([3, 301], [301, 5]),
    product([515, 3], [515, 4], { transposeA: true }),
  ],
  linear: [
    {
      inputs: [{ shape: [5, 7] }, { shape: [3, 7] }, { shape: [3] }],
      call: (ops, [x, weight, bias]) => ops.linear(x, weight, bias),
    },
    {
      inputs: [{ shape: [2, 3, 8] }, { shape: [12, 8] }, { shape: [12] }],
      call: (ops, [x, weight, bias]) => ops.linear(x, weight, bias),
    },
    { inputs: [{ shape: [6] }, { shape: [4, 6] }], call: (ops, [x, weight]) => ops.linear(x, weight) },
    // A long sum for a small result: on hardware in parts, of which one has the bias.
    {
      inputs: [{ shape: [3, 260] }, { shape: [5, 260] }, { shape: [5] }],
      call: (ops, [x, weight, bias]) => ops.linear(x, weight, bias),
    },
  ],
  conv2d: [
    convolution([2, 5, 4, 3], [5, 3, 3, 3], { padding: 1 }),
    convolution([1, 6, 7, 4], [8, 4, 3, 3], { stride: 2, padding: 1 }),
    convolution([2, 4, 4, 1], [4, 1, 2, 3]),
    convolution([1, 5, 5, 5], [1, 5, 1, 1], { stride: 2 }),
    // Pixels at the edge that no tap sees, and taps that never meet the image.
    convolution([1, 7, 6, 2], [3, 2, 2, 2], { stride: 3 }),
    convolution([1, 2, 2, 2], [3, 2, 5, 5], { padding: 2 }),
    convolution([1, 7, 9, 4], [4, 4, 5, 3], { stride: 3, padding: 2 }),
    convolution([3, 8, 8, 9], [9, 9, 3, 3], { padding: 1 }),
    // Enough channels for Winograd's algorithm: whole tiles and parts of them, every padding that it takes.
    convolution([2, 8, 4, 16], [16, 16, 3, 3], { padding: 1 }),
    convolution([1, 7, 9, 17], [20, 17, 3, 3]),
    // As many as a hardware adapter needs for it.
    convolution([1, 5, 3, 64], [64, 64, 3, 3], { padding: 1 }),
    convolution([1, 5, 6, 16], [19, 16, 3, 3], { padding: 2 }),
    // Depthwise: vectors of channels and single ones, whole blocks of them and parts, strides, dilation, odd filters.
    convolution([2, 5, 4, 3], [3, 1, 3, 3], { groups: 3, padding: 1 }),
    convolution([2, 6, 5, 4], [4, 1, 3, 3], { groups: 4, padding: 1, stride: 2 }),
    convolution([1, 9, 7, 21], [21, 1, 5, 5], { groups: 21, padding: 2, stride: 2 }),
    convolution([1, 7, 6, 20], [20, 1, 3, 3], { groups: 20, padding: 2, dilation: 2 }),
    convolution([1, 2, 11, 5], [5, 1, 3, 3], { groups: 5, padding: 1 }),
    convolution([1, 8, 9, 6], [6, 1, 2, 4], { groups: 6, stride: 3, dilation: 2, padding: 3 }),
    convolution([3, 4, 3, 5], [5, 1, 1, 2], { groups: 5 }),
    // More padding than a filter spans, and filters larger than the image.
    convolution([1, 3, 2, 4], [4, 1, 1, 1], { groups: 4, padding: 2 }),
    convolution([1, 2, 3, 4], [4, 1, 5, 5], { groups: 4, padding: 2 }),
    // Groups, also with more outputs than inputs, and dilation.
    convolution([2, 5, 4, 6], [4, 3, 3, 3], { groups: 2, padding: 1 }),
    convolution([1, 6, 5, 4], [12, 1, 3, 3], { groups: 4, padding: 1, stride: 2 }),
    convolution([2, 7, 6, 8], [16, 2, 1, 2], { groups: 4, stride: 3 }),
    convolution([1, 9, 8, 3], [5, 3, 3, 3], { dilation: 2, padding: 2 }),
    convolution([2, 8, 7, 4], [6, 2, 3, 2], { groups: 2, dilation: 3, stride: 2, padding: 3 }),
    // Long sums for small results, forward and back: on hardware in parts.
    convolution([1, 5, 4, 32], [68, 32, 3, 3], { stride: 2, padding: 1 }),
  ],
  maxPool2d: [
    largest([2, 4, 6, 3], { size: 2 }),
    largest([1, 7, 6, 2], { size: 3, stride: 2, padding: 1 }),
    largest([1, 5, 5, 1], { size: 2, stride: 3 }),
  ],
  averagePool2d: [
    means([2, 4, 6, 3], { size: 2 }),
    means([1, 7, 6, 2], { size: 3, stride: 2, padding: 1 }),
    means([1, 5, 5, 1], { size: 2, stride: 3 }),
  ],
} satisfies Record<string, readonly Case[]>;

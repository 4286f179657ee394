import type { LibrarySvd } from "../../../native_library.ts";
import type { Float64Kernels } from "./float64_kernels.ts";

/** The geometry of a 2-D convolution of channels-last images; all numbers are integers. */
export interface ConvShape {
  /** Rows of an input image. */
  height: number;
  /** Columns of an input image. */
  width: number;
  /** Channels of the input. */
  inputs: number;
  /** Channels of the output. */
  outputs: number;
  /** Rows of the filter. */
  kernelHeight: number;
  /** Columns of the filter. */
  kernelWidth: number;
  /** Step of the filter along both axes, at least 1. */
  stride: number;
  /** Rows and columns of zeros on each side of the input. */
  padding: number;
}

/** The geometry of a depthwise convolution of channels-last images; all numbers are integers. */
export interface DepthwiseShape {
  /** How many images there are. */
  images: number;
  /** Rows of an input image. */
  height: number;
  /** Columns of an input image. */
  width: number;
  /** Channels of input and output. */
  channels: number;
  /** Rows of an output image. */
  outHeight: number;
  /** Columns of an output image. */
  outWidth: number;
  /** Rows of a filter. */
  kernelHeight: number;
  /** Columns of a filter. */
  kernelWidth: number;
  /** Step of the filter along both axes, at least 1. */
  stride: number;
  /** Rows and columns of zeros on each side of the input. */
  padding: number;
  /** Pixels from one tap to the next along both axes, at least 1. */
  dilation: number;
}

/** What `channelAffine` makes of the numbers of a convolution. */
export interface ConvAffine {
  /** A factor for each channel. */
  scale: number;
  /** What is added for each channel. */
  shift: number;
  /** What is added to each number, as large as the result; `null` for nothing. */
  added: number | null;
  /** 0 for none, 1 for relu, 2 for relu6. */
  activation: number;
}

/** Positions of a filter along one axis of an image; 0 where it does not fit. */
export function convOutputSize(size: number, kernel: number, stride: number, padding: number): number {
  return Math.max(Math.floor((size + 2 * padding - kernel) / stride) + 1, 0);
}

/**
 * The CPU backend's SIMD kernels.
 *
 * Tensors are contiguous row-major float32 in the shared memory, and every pointer is a byte offset into it (a multiple
 * of 4). Nothing is allocated: where a kernel needs scratch memory, it takes a pointer to as many bytes as the function
 * with `Scratch` in its name says, with any content. Sizes and pointers are trusted, so check them before.
 *
 * The result is bit for bit the same from run to run. Where the kernels run on several threads, sums over images or
 * rows (the filter gradient, the sums per channel) depend in their rounding on the number of threads; nothing else
 * does.
 */
export interface WasmKernels extends Float64Kernels {
  /** The memory that holds the tensors. */
  readonly memory: WebAssembly.Memory;

  /** Whether multiply-add is fused, which this engine may or may not have. */
  readonly relaxed: boolean;

  /** A native library's singular value decomposition, where there is one. */
  readonly svd: LibrarySvd | null;

  /** How many threads share the work, this one included. */
  readonly threads: number;

  /** Ends the other threads; no kernel may be called after. Without it they end with the program. */
  close(): Promise<void>;

  /**
   * Rows `rowBegin` to `rowEnd` (all by default) of C[m, n] = op(A) op(B), or C += op(A) op(B) with `accumulate`.
   *
   * A is [m, k], or [k, m] with `transA`; B is [k, n], or [n, k] with `transB`. `lda`, `ldb` and `ldc` are the elements
   * from one row to the next of A, B and C as they are stored.
   */
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    lda: number,
    transA: boolean,
    b: number,
    ldb: number,
    transB: boolean,
    c: number,
    ldc: number,
    accumulate: boolean,
    scratch: number,
    rowBegin?: number,
    rowEnd?: number,
  ): void;

  /**
   * C[i] = op(A[i]) op(B[i]) for each i of a batch, C [batch, m, n] without gaps; the rest as `gemm` has it.
   *
   * @param aBatch elements from one A to the next; 0 where all share one
   * @param bBatch the same of B
   */
  gemmBatch(
    batch: number,
    m: number,
    n: number,
    k: number,
    a: number,
    lda: number,
    transA: boolean,
    aBatch: number,
    b: number,
    ldb: number,
    transB: boolean,
    bBatch: number,
    c: number,
    scratch: number,
  ): void;

  /** Bytes of scratch memory for `gemm` or `gemmBatch` of these sizes, whatever the transposes and the row range. */
  gemmScratch(m: number, n: number, k: number, batch?: number): number;

  /**
   * y = convolution of x with the filter, for the images from `imageBegin` to `imageEnd`.
   *
   * @param x [images, height, width, inputs]
   * @param filter [kernelHeight, kernelWidth, inputs, outputs]
   * @param y [images, outputHeight, outputWidth, outputs]; see {@link convOutputSize}
   * @param affine what becomes of the result's numbers, as `channelAffine` does it; `null` for nothing
   */
  convForward(
    shape: ConvShape,
    x: number,
    filter: number,
    y: number,
    scratch: number,
    imageBegin: number,
    imageEnd: number,
    affine?: ConvAffine | null,
  ): void;

  /**
   * dx = gradient with respect to x, for the images from `imageBegin` to `imageEnd`; every element is written.
   *
   * @param dy [images, outputHeight, outputWidth, outputs]
   * @param filter [kernelHeight, kernelWidth, inputs, outputs], the same layout as for `convForward`
   * @param dx [images, height, width, inputs]
   */
  convInputGradient(
    shape: ConvShape,
    dy: number,
    filter: number,
    dx: number,
    scratch: number,
    imageBegin: number,
    imageEnd: number,
  ): void;

  /**
   * dfilter += gradient with respect to the filter, summed over the images from `imageBegin` to `imageEnd`. Fill
   * dfilter with zeros before.
   *
   * @param x [images, height, width, inputs]
   * @param dy [images, outputHeight, outputWidth, outputs]
   * @param dfilter [kernelHeight, kernelWidth, inputs, outputs]
   */
  convFilterGradient(
    shape: ConvShape,
    x: number,
    dy: number,
    dfilter: number,
    scratch: number,
    imageBegin: number,
    imageEnd: number,
  ): void;

  /** Bytes of scratch memory for any of the three convolution kernels of this shape, whatever the image range. */
  convScratch(shape: ConvShape): number;

  /**
   * y = convolution of each channel of x with its own filter.
   *
   * @param x [images, height, width, channels]
   * @param filter [kernelHeight, kernelWidth, channels]
   * @param y [images, outHeight, outWidth, channels]
   */
  depthwiseForward(shape: DepthwiseShape, x: number, filter: number, y: number): void;

  /** dx = its gradient with respect to x, of dy as large as y; every element is written. */
  depthwiseInputGradient(shape: DepthwiseShape, dy: number, filter: number, dx: number): void;

  /** dfilter = its gradient with respect to the filters. */
  depthwiseFilterGradient(shape: DepthwiseShape, x: number, dy: number, dfilter: number, scratch: number): void;

  /** Bytes of scratch memory for `depthwiseFilterGradient`; may be 0. */
  depthwiseScratch(shape: DepthwiseShape): number;

  /** sums[c] = sum over the rows of x [rows, channels]. */
  channelSums(rows: number, channels: number, x: number, sums: number, scratch: number): void;

  /** sums[c] = sum over the rows of (x[r, c] - mean[c])^2: the variance times the number of rows. */
  channelSquares(rows: number, channels: number, x: number, mean: number, sums: number, scratch: number): void;

  /** sums[c] = sum of gradient[r, c], and products[c] = sum of gradient[r, c] (x[r, c] - mean[c]), over the rows. */
  channelGradientSums(
    rows: number,
    channels: number,
    x: number,
    gradient: number,
    mean: number,
    sums: number,
    products: number,
    scratch: number,
  ): void;

  /** Bytes of scratch memory for any of the sums per channel, `layerNormSums` too; may be 0. */
  channelScratch(channels: number): number;

  /**
   * y = x * scale[c] + shift[c] (+ added) over [rows, channels], then max(y, 0) with an `activation` of 1, min(max(y,
   * 0), 6) of 2. y may be x.
   */
  channelAffine(
    rows: number,
    channels: number,
    x: number,
    scale: number,
    shift: number,
    added: number | null,
    y: number,
    activation: number,
  ): void;

  /**
   * dx = factor[c] * gradient + slope[c] * (x - mean[c]) + offset[c] over [rows, channels]. dx may be x or the
   * gradient.
   *
   * @param coefficients [4, channels]: factor, mean, slope, offset
   */
  channelGradient(
    rows: number,
    channels: number,
    x: number,
    gradient: number,
    coefficients: number,
    dx: number,
  ): void;

  /** y = max(x, 0). y may be x. */
  relu(length: number, x: number, y: number): void;

  /** dx = gradient where x > 0, else 0. dx may be x or the gradient. */
  reluGradient(length: number, x: number, gradient: number, dx: number): void;

  /** y = min(max(x, 0), 6). y may be x. */
  relu6(length: number, x: number, y: number): void;

  /** dx = gradient where 0 < x < 6, else 0. dx may be x or the gradient. */
  relu6Gradient(length: number, x: number, gradient: number, dx: number): void;

  /** y = x min(max(x / 6 + 1 / 2, 0), 1). y may be x. */
  hardSwish(length: number, x: number, y: number): void;

  /** dx = gradient times the derivative of `hardSwish` at x. dx may be x or the gradient. */
  hardSwishGradient(length: number, x: number, gradient: number, dx: number): void;

  /** y = x / (1 + e^-x). y may be x. */
  silu(length: number, x: number, y: number): void;

  /** dx = gradient times the derivative of `silu` at x. dx may be x or the gradient. */
  siluGradient(length: number, x: number, gradient: number, dx: number): void;

  /** y = x / 2 (1 + erf(x / sqrt 2)). y may be x. */
  gelu(length: number, x: number, y: number): void;

  /** dx = gradient times the derivative of `gelu` at x. dx may be x or the gradient. */
  geluGradient(length: number, x: number, gradient: number, dx: number): void;

  /**
   * y = softmax over the columns of x [rows, columns]. y may be x.
   *
   * @param mask [rows / rowsPerMask, columns]: columns where it is 0 are left out; `null` for none
   */
  softmax(rows: number, columns: number, x: number, mask: number | null, rowsPerMask: number, y: number): void;

  /** dx = y (gradient - sum of gradient y) over the columns of [rows, columns]. dx may be y or the gradient. */
  softmaxGradient(rows: number, columns: number, y: number, gradient: number, dx: number): void;

  /**
   * y = (x - mean) scale weight + bias over the columns of [rows, columns]; mean [rows] and scale [rows] are written.
   */
  layerNorm(
    rows: number,
    columns: number,
    x: number,
    weight: number,
    bias: number,
    y: number,
    mean: number,
    scale: number,
    epsilon: number,
  ): void;

  /** dx = the gradient of `layerNorm` by x, from its mean and scale. dx may be x or the gradient. */
  layerNormGradient(
    rows: number,
    columns: number,
    x: number,
    gradient: number,
    weight: number,
    mean: number,
    scale: number,
    dx: number,
  ): void;

  /**
   * sums[c] = sum of gradient[r, c], and products[c] = sum of gradient[r, c] (x[r, c] - mean[r]) scale[r], over the
   * rows.
   */
  layerNormSums(
    rows: number,
    columns: number,
    x: number,
    gradient: number,
    mean: number,
    scale: number,
    sums: number,
    products: number,
    scratch: number,
  ): void;

  /**
   * y = x / (1 - rate) where the hash of an element's index and the key, as a part of 1, is at least the rate; else 0.
   * y may be x.
   *
   * @param key a 32-bit integer
   */
  dropout(length: number, x: number, key: number, rate: number, y: number): void;

  /**
   * Fills y in its order from x by strides, in elements.
   *
   * @param planes how many of the first three dimensions
   * @param extents of the dimensions 1 to 5
   * @param strides of the dimensions 0 to 5
   */
  stridedCopy(x: number, y: number, planes: number, extents: readonly number[], strides: readonly number[]): void;

  /** x[r, c] += row[c] for all rows of x [rows, columns]. */
  addRow(rows: number, columns: number, x: number, row: number): void;

  /** c = a + b. c may be a or b. */
  add(length: number, a: number, b: number, c: number): void;

  /**
   * One step of AdamW on [length], in place, in float64 rounded once.
   *
   * @param settings eight doubles: the gradient's factor, beta 1, beta 2, the corrections of both, the learning rate,
   * epsilon, and what weight decay leaves of a parameter
   */
  adamw(
    length: number,
    gradient: number,
    parameter: number,
    mean: number,
    square: number,
    settings: number,
  ): void;

  /**
   * One step of SGD on [length], in place, in float64 rounded once.
   *
   * @param settings four doubles: the gradient's factor, weight decay, momentum, the learning rate
   */
  sgd(length: number, gradient: number, parameter: number, velocity: number, settings: number, nesterov: boolean): void;

  /** The sum of the squares of x [length] in float64. */
  sumOfSquares(length: number, x: number, scratch: number): number;

  /** Bytes of scratch memory for `sumOfSquares`. */
  squaresScratch(length: number): number;
}

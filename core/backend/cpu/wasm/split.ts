import { type LibrarySvd, NATIVE } from "../../../native_library.ts";
import { splitFloat64 } from "./float64_kernels.ts";
import { alone, cut, type Exports, type Team } from "./team.ts";
import type { ConvShape, DepthwiseShape, WasmKernels } from "./wasm_kernels.ts";

/** Multiply-adds for one thread, at least (about 100 microseconds' worth): waking it for fewer costs what it gains. */
const MINIMUM_WORK = 2_000_000;

/** How many multiply-adds take as long as reading, changing and writing one element. */
const ELEMENT_WORK = 4;

/** Likewise for an element of which an exponential or the error function is computed. */
const FUNCTION_WORK = 24;

/**
 * Multiply-adds of a product that a native library gets, at least: calling it takes half a microsecond, in which SIMD
 * kernels have done as many.
 */
const MINIMUM_NATIVE_WORK = 8_000;

/** Rows and columns of the tiles that the matrix product is made of: cuts between whole tiles waste none. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;

/** Numbers whose squares are summed by themselves, as the binary has it. */
const SQUARES_BLOCK = 2 ** 14;

/** Scratch areas of threads start on cache lines of their own. */
const aligned = (bytes: number) => Math.ceil(bytes / 64) * 64;

/**
 * Puts the kernels' interface on the exports of a binary, each kernel split over the threads of a team.
 *
 * @param exports the binary's, instantiated on `memory`
 */
export function splitKernels(
  memory: WebAssembly.Memory,
  relaxed: boolean,
  exports: Exports,
  team: Team = alone(exports),
  svd: LibrarySvd | null = null,
): WasmKernels {
  const { threads } = team;
  const bytes = (name: string, ...args: number[]) => exports[name](...args) >>> 0;
  const threadsFor = (work: number) => Math.max(Math.min(Math.floor(work / MINIMUM_WORK), threads), 1);
  const cutFunctions = (elements: number, length: number, unit = 1) =>
    cut(0, length, threadsFor(elements * FUNCTION_WORK), unit);
  const cutElements = (elements: number, length: number, unit = 1) =>
    cut(0, length, threadsFor(elements * ELEMENT_WORK), unit);

  const isNative = NATIVE.gemm in exports;
  /** The library's function in place of the kernel, where there is one and the product is of its kind. */
  const productBy = (
    kernel: "gemm" | "gemmBatch",
    ...[m, n, k, lda, transA, ldb, transB]: [number, number, number, number, boolean, number, boolean]
  ) => {
    // Libraries refuse rows that overlap.
    const isFit = lda >= Math.max(transA ? m : k, 1) && ldb >= Math.max(transB ? k : n, 1);
    return isNative && isFit && m * n * k >= MINIMUM_NATIVE_WORK ? NATIVE[kernel] : kernel;
  };

  type Cut = typeof cutElements;
  const unary = (name: string, cutter: Cut) => (length: number, x: number, y: number) =>
    team.run(name, cutter(length, length, 16).map((range) => [x, y, ...range]));
  const unaryGradient = (name: string, cutter: Cut) => (length: number, x: number, gradient: number, dx: number) =>
    team.run(name, cutter(length, length, 16).map((range) => [x, gradient, dx, ...range]));

  const convScratch = (shape: ConvShape) => {
    const sizes = geometry(shape);
    const kernels = ["convForward", "convInputGradient", "convFilterGradient"];
    return aligned(Math.max(...kernels.map((kernel) => bytes(`${kernel}Scratch`, ...sizes))));
  };
  const cutImages = (shape: ConvShape, begin: number, end: number) => {
    const { height, width, inputs, outputs, kernelHeight, kernelWidth, stride } = shape;
    const positions = (end - begin) * height * width / stride ** 2;
    return cut(begin, end, threadsFor(positions * inputs * outputs * kernelHeight * kernelWidth));
  };

  /** Sums each thread's own totals, `[threads, length]` from `partial` on, into `total`: in order, so always alike. */
  const addPartials = (count: number, total: number, partial: number, length: number, step: number) => {
    for (let i = 0; i < count; i++) exports.add(total, partial + i * step, total, 0, length);
  };

  const channelSums = (
    name: string,
    rows: number,
    channels: number,
    operands: number[],
    outputs: number[],
    scratch: number,
  ) => {
    const ranges = cutElements(rows * channels, rows), step = aligned(channels * 4);
    // The first thread's sums are the outputs themselves; then one area for each other thread and output.
    const place = (output: number, thread: number) =>
      thread === 0 ? outputs[output] : scratch + (output * (threads - 1) + thread - 1) * step;
    if (ranges.length === 0) ranges.push([0, 0]);
    team.run(
      name,
      ranges.map((range, thread) => [...operands, ...outputs.map((_, i) => place(i, thread)), channels, ...range]),
    );
    outputs.forEach((total, i) => addPartials(ranges.length - 1, total, place(i, 1), channels, step));
  };

  return {
    memory,
    relaxed,
    threads,
    svd,
    close: () => team.close(),
    ...splitFloat64(exports, team),

    gemm(m, n, k, a, lda, transA, b, ldb, transB, c, ldc, accumulate, scratch, rowBegin = 0, rowEnd = m) {
      const rows = rowEnd - rowBegin, count = threadsFor(rows * n * k);
      const step = aligned(bytes("gemmScratch", n, k));
      const call = (thread: number, first: number, columns: number, begin: number, end: number) => [
        ...[columns, k, a, lda, +transA, b + first * (transB ? ldb : 1) * 4, ldb, +transB],
        ...[c + first * 4, ldc, +accumulate, scratch + thread * step, begin, end],
      ];
      // Along the longer side: each thread packs for itself what the others need as well.
      const calls = rows >= n
        ? cut(rowBegin, rowEnd, count, TILE_ROWS).map(([begin, end], thread) => call(thread, 0, n, begin, end))
        : cut(0, n, count, TILE_COLUMNS).map(([first, last], thread) =>
          call(thread, first, last - first, rowBegin, rowEnd)
        );
      team.run(productBy("gemm", rows, n, k, lda, transA, ldb, transB), calls);
    },
    gemmBatch(batch, m, n, k, a, lda, transA, aBatch, b, ldb, transB, bBatch, c, scratch) {
      const count = threadsFor(batch * m * n * k);
      // A thread takes whole products, unless they are too few, or each of them is enough for all threads.
      if (count > 1 && (batch < count || threadsFor(m * n * k) === threads)) {
        for (let i = 0; i < batch; i++) {
          const [at, bt, ct] = [a + 4 * i * aBatch, b + 4 * i * bBatch, c + 4 * i * m * n];
          this.gemm(m, n, k, at, lda, transA, bt, ldb, transB, ct, n, false, scratch);
        }
        return;
      }
      const step = aligned(bytes("gemmScratch", n, k));
      const operands = [m, n, k, a, lda, +transA, aBatch, b, ldb, +transB, bBatch, c, m * n];
      const ranges = cut(0, batch, count);
      const kernel = productBy("gemmBatch", m, n, k, lda, transA, ldb, transB);
      team.run(kernel, ranges.map((range, thread) => [...operands, scratch + thread * step, ...range]));
    },
    gemmScratch: (m, n, k, batch = 1) => aligned(bytes("gemmScratch", n, k)) * threadsFor(batch * m * n * k),

    convForward(shape, x, filter, y, scratch, imageBegin, imageEnd, affine = null) {
      const sizes = geometry(shape), step = convScratch(shape);
      const ranges = cutImages(shape, imageBegin, imageEnd);
      const { scale, shift, added, activation } = affine ?? { scale: 0, shift: 0, added: 0, activation: 0 };
      const operands = [x, filter, y, scale, shift, added ?? 0, activation, ...sizes];
      team.run("convForward", ranges.map((range, i) => [...operands, scratch + i * step, ...range]));
    },
    convInputGradient(shape, dy, filter, dx, scratch, imageBegin, imageEnd) {
      const sizes = geometry(shape), step = convScratch(shape);
      const ranges = cutImages(shape, imageBegin, imageEnd);
      team.run("convInputGradient", ranges.map((range, i) => [dy, filter, dx, ...sizes, scratch + i * step, ...range]));
    },
    convFilterGradient(shape, x, dy, dfilter, scratch, imageBegin, imageEnd) {
      const sizes = geometry(shape), step = convScratch(shape);
      const ranges = cutImages(shape, imageBegin, imageEnd);
      const length = filterLength(shape), partialStep = aligned(length * 4), partials = scratch + threads * step;
      for (let i = 1; i < ranges.length; i++) {
        new Float32Array(memory.buffer, partials + (i - 1) * partialStep, length).fill(0);
      }
      team.run(
        "convFilterGradient",
        ranges.map((range, i) => {
          const target = i === 0 ? dfilter : partials + (i - 1) * partialStep;
          return [x, dy, target, ...sizes, scratch + i * step, ...range];
        }),
      );
      addPartials(ranges.length - 1, dfilter, partials, length, partialStep);
    },
    convScratch: (shape) => threads * convScratch(shape) + (threads - 1) * aligned(filterLength(shape) * 4),

    depthwiseForward(shape, x, filter, y) {
      const { images, outHeight, padding } = shape;
      const sizes = [...depthwiseGeometry(shape), padding, padding, 0];
      const ranges = cut(0, images * outHeight, threadsFor(depthwiseWork(shape)));
      team.run("depthwiseForward", ranges.map((range) => [x, filter, y, ...sizes, ...range]));
    },
    depthwiseInputGradient(shape, dy, filter, dx) {
      const { images, height, width, channels, outHeight, outWidth, kernelHeight, kernelWidth } = shape;
      const { stride, padding, dilation } = shape;
      const threads = threadsFor(depthwiseWork(shape));
      if (stride > 1) {
        const sizes = [...depthwiseGeometry(shape), padding];
        const ranges = cut(0, images, threads);
        team.run("depthwiseScatter", ranges.map((range) => [dy, filter, dx, ...sizes, ...range]));
        return;
      }
      // Without a stride it is a convolution itself, of the gradient with the filters turned around.
      const turned = { ...shape, height: outHeight, width: outWidth, outHeight: height, outWidth: width, channels };
      const [top, left] = [kernelHeight, kernelWidth].map((taps) => (taps - 1) * dilation - padding);
      const sizes = [...depthwiseGeometry(turned), top, left, 1];
      const ranges = cut(0, images * height, threads);
      team.run("depthwiseForward", ranges.map((range) => [dy, filter, dx, ...sizes, ...range]));
    },
    depthwiseFilterGradient(shape, x, dy, dfilter, scratch) {
      const sizes = [...depthwiseGeometry(shape), shape.padding];
      const ranges = cut(0, shape.images * shape.outHeight, threadsFor(depthwiseWork(shape)));
      const length = shape.kernelHeight * shape.kernelWidth * shape.channels, step = aligned(length * 4);
      const target = (thread: number) => thread === 0 ? dfilter : scratch + (thread - 1) * step;
      for (let i = 0; i < Math.max(ranges.length, 1); i++) new Float32Array(memory.buffer, target(i), length).fill(0);
      team.run("depthwiseFilterGradient", ranges.map((range, i) => [x, dy, target(i), ...sizes, ...range]));
      addPartials(ranges.length - 1, dfilter, scratch, length, step);
    },
    depthwiseScratch: ({ kernelHeight, kernelWidth, channels }) =>
      (threads - 1) * aligned(kernelHeight * kernelWidth * channels * 4),

    channelSums: (rows, channels, x, sums, scratch) => channelSums("channelSums", rows, channels, [x], [sums], scratch),
    channelSquares: (rows, channels, x, mean, sums, scratch) =>
      channelSums("channelSquares", rows, channels, [x, mean], [sums], scratch),
    channelGradientSums: (rows, channels, x, gradient, mean, sums, products, scratch) =>
      channelSums("channelGradientSums", rows, channels, [x, gradient, mean], [sums, products], scratch),
    channelScratch: (channels) => 2 * (threads - 1) * aligned(channels * 4),

    channelAffine(rows, channels, x, scale, shift, added, y, activation) {
      const ranges = cutElements(rows * channels, rows);
      team.run(
        "channelAffine",
        ranges.map((range) => [x, scale, shift, added ?? 0, y, channels, activation, ...range]),
      );
    },
    channelGradient(rows, channels, x, gradient, coefficients, dx) {
      const ranges = cutElements(rows * channels, rows);
      team.run("channelGradient", ranges.map((range) => [x, gradient, coefficients, dx, channels, ...range]));
    },
    gelu: unary("gelu", cutFunctions),
    geluGradient: unaryGradient("geluGradient", cutFunctions),
    silu: unary("silu", cutFunctions),
    siluGradient: unaryGradient("siluGradient", cutFunctions),
    relu: unary("relu", cutElements),
    reluGradient: unaryGradient("reluGradient", cutElements),
    relu6: unary("relu6", cutElements),
    relu6Gradient: unaryGradient("relu6Gradient", cutElements),
    hardSwish: unary("hardSwish", cutElements),
    hardSwishGradient: unaryGradient("hardSwishGradient", cutElements),
    softmax(rows, columns, x, mask, rowsPerMask, y) {
      const ranges = cutFunctions(rows * columns, rows);
      team.run(
        "softmax",
        ranges.map((range) => [x, mask ?? 0, y, columns, rowsPerMask, mask === null ? 0 : 1, ...range]),
      );
    },
    softmaxGradient(rows, columns, y, gradient, dx) {
      const ranges = cutElements(rows * columns, rows);
      team.run("softmaxGradient", ranges.map((range) => [y, gradient, dx, columns, ...range]));
    },
    layerNorm(rows, columns, x, weight, bias, y, mean, scale, epsilon) {
      const ranges = cutElements(rows * columns, rows);
      const epsilonBits = bitsOf(epsilon);
      team.run("layerNorm", ranges.map((range) => [x, weight, bias, y, mean, scale, columns, epsilonBits, ...range]));
    },
    layerNormGradient(rows, columns, x, gradient, weight, mean, scale, dx) {
      const ranges = cutElements(rows * columns, rows);
      const operands = [x, gradient, weight, mean, scale, dx, columns];
      team.run("layerNormGradient", ranges.map((range) => [...operands, ...range]));
    },
    layerNormSums: (rows, columns, x, gradient, mean, scale, sums, products, scratch) =>
      channelSums("layerNormSums", rows, columns, [x, gradient, mean, scale], [sums, products], scratch),
    dropout(length, x, key, rate, y) {
      const rateBits = bitsOf(rate);
      team.run("dropout", cutFunctions(length, length, 16).map((range) => [x, y, key, rateBits, ...range]));
    },
    stridedCopy(x, y, planes, extents, strides) {
      const [, , ...plane] = extents;
      const elements = planes * plane[0] * plane[1] * plane[2];
      team.run("stridedCopy", cutElements(elements, planes).map((range) => [x, y, ...extents, ...strides, ...range]));
    },
    addRow: (rows, columns, x, row) =>
      team.run("addRow", cutElements(rows * columns, rows).map((range) => [x, row, columns, ...range])),
    adamw: (length, ...operands) =>
      team.run("adamw", cutFunctions(length, length, 16).map((range) => [...operands, ...range])),
    sgd: (length, gradient, parameter, velocity, settings, nesterov) => {
      const operands = [gradient, parameter, velocity, settings, +nesterov];
      team.run("sgd", cutElements(length, length, 16).map((range) => [...operands, ...range]));
    },
    sumOfSquares(length, x, scratch) {
      const blocks = Math.ceil(length / SQUARES_BLOCK);
      team.run("blockSquares", cutElements(length, blocks).map((range) => [x, length, scratch, ...range]));
      return new Float64Array(memory.buffer, scratch, blocks).reduce((sum, value) => sum + value, 0);
    },
    squaresScratch: (length) => 8 * Math.ceil(length / SQUARES_BLOCK),
    add: (length, a, b, c) => team.run("add", cutElements(length, length, 16).map((range) => [a, b, c, ...range])),
  };
}

/** A float32 as an integer of the same bits: the arguments of exports are integers. */
function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0];
}

/** A convolution's sizes in the order of the binary's parameters. */
function geometry(s: ConvShape): number[] {
  return [s.height, s.width, s.inputs, s.outputs, s.kernelHeight, s.kernelWidth, s.stride, s.padding];
}

function filterLength(s: ConvShape): number {
  return s.kernelHeight * s.kernelWidth * s.inputs * s.outputs;
}

/** A depthwise convolution's sizes in the order of the binary's parameters, up to the padding. */
function depthwiseGeometry(s: DepthwiseShape): number[] {
  const images = [s.height, s.width, s.channels, s.outHeight, s.outWidth];
  return [...images, s.kernelHeight, s.kernelWidth, s.stride, s.dilation];
}

/** Multiply-adds of a depthwise convolution. */
function depthwiseWork(s: DepthwiseShape): number {
  return s.images * s.outHeight * s.outWidth * s.channels * s.kernelHeight * s.kernelWidth;
}

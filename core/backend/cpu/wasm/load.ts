import { PLAIN_KERNELS, RELAXED_KERNELS } from "./kernels.generated.ts";

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

/**
 * The CPU backend's SIMD kernels.
 *
 * Tensors are contiguous row-major float32 in the shared memory, and every pointer is a byte offset into it (a multiple
 * of 4). Nothing is allocated: where a kernel needs scratch memory, it takes a pointer to as many bytes as the function
 * of that name with `Scratch` says, with any content. Sizes and pointers are trusted, so check them before. Kernels on
 * disjoint ranges may run at the same time in several threads, each with its own scratch memory.
 *
 * A range never changes how an element is summed: any split of it gives bit for bit the same output.
 * `convFilterGradient` is the exception, since there the range is what is summed.
 */
export interface WasmKernels {
  /** The memory that holds the tensors. */
  readonly memory: WebAssembly.Memory;

  /** Whether multiply-add is fused, which this engine may or may not have. */
  readonly relaxed: boolean;

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

  /** Bytes of scratch memory for `gemm` of these sizes, whatever the transposes and the row range. */
  gemmScratch(m: number, n: number, k: number): number;

  /**
   * y = convolution of x with the filter, for the images from `imageBegin` to `imageEnd`.
   *
   * @param x [images, height, width, inputs]
   * @param filter [kernelHeight, kernelWidth, inputs, outputs]
   * @param y [images, outputHeight, outputWidth, outputs]; see {@linkcode convOutputSize}
   */
  convForward(
    shape: ConvShape,
    x: number,
    filter: number,
    y: number,
    scratch: number,
    imageBegin: number,
    imageEnd: number,
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
   * dfilter += gradient with respect to the filter, summed over the images from `imageBegin` to `imageEnd`.
   * Fill dfilter with zeros before; threads that share the images take one dfilter each.
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
}

/** Positions of a filter along one axis of an image. */
export function convOutputSize(size: number, kernel: number, stride: number, padding: number): number {
  return Math.max(Math.floor((size + 2 * padding - kernel) / stride) + 1, 0);
}

/** The most pages a 32-bit memory can have: 4 GiB. */
const MAXIMUM_PAGES = 65536;

/**
 * A shared memory for tensors. It can grow up to 4 GiB, and views of it stay valid when it does (though they stay as
 * long as they were: make a new one to see the added bytes).
 *
 * @param bytes size to begin with, rounded up to whole pages of 64 KiB
 */
export function createMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536), maximum: MAXIMUM_PAGES, shared: true });
}

/** The compiled kernels; a module can be sent to another thread, and instantiated there on the same memory. */
export interface CompiledKernels {
  module: WebAssembly.Module;
  relaxed: boolean;
}

/**
 * Compiles the kernels: with fused multiply-add where the engine has relaxed SIMD, else without.
 *
 * @param relaxed false leaves relaxed SIMD out even if the engine has it
 */
export function compileKernels(relaxed = true): CompiledKernels {
  if (relaxed) {
    const fused = Uint8Array.fromBase64(RELAXED_KERNELS);
    if (WebAssembly.validate(fused)) return { module: new WebAssembly.Module(fused), relaxed: true };
  }
  return { module: new WebAssembly.Module(Uint8Array.fromBase64(PLAIN_KERNELS)), relaxed: false };
}

/**
 * Instantiates the kernels on a shared memory.
 *
 * @param memory from {@linkcode createMemory}
 * @param compiled from {@linkcode compileKernels}
 *
 * @example
 * ```ts
 * const memory = createMemory(1 << 20);
 * const kernels = loadKernels(memory);
 * const [a, b, c, scratch] = [0, 64, 128, 256];
 * new Float32Array(memory.buffer, a, 4).set([1, 2, 3, 4]);
 * new Float32Array(memory.buffer, b, 4).set([0, 1, 1, 0]);
 * kernels.gemm(2, 2, 2, a, 2, false, b, 2, false, c, 2, false, scratch);
 * new Float32Array(memory.buffer, c, 4); // [2, 1, 4, 3]
 * ```
 */
export function loadKernels(memory: WebAssembly.Memory, compiled: CompiledKernels = compileKernels()): WasmKernels {
  const raw = new WebAssembly.Instance(compiled.module, { env: { memory } }).exports as unknown as Exports;
  return {
    memory,
    relaxed: compiled.relaxed,
    gemm: (m, n, k, a, lda, transA, b, ldb, transB, c, ldc, accumulate, scratch, rowBegin = 0, rowEnd = m) =>
      raw.gemm(n, k, a, lda, +transA, b, ldb, +transB, c, ldc, +accumulate, scratch, rowBegin, rowEnd),
    gemmScratch: (_m, n, k) => raw.gemmScratch(n, k) >>> 0,
    convForward: (shape, x, filter, y, scratch, begin, end) =>
      raw.convForward(x, filter, y, ...geometry(shape), scratch, begin, end),
    convInputGradient: (shape, dy, filter, dx, scratch, begin, end) =>
      raw.convInputGradient(dy, filter, dx, ...geometry(shape), scratch, begin, end),
    convFilterGradient: (shape, x, dy, dfilter, scratch, begin, end) =>
      raw.convFilterGradient(x, dy, dfilter, ...geometry(shape), scratch, begin, end),
    convScratch: (shape) => {
      const sizes = geometry(shape);
      return Math.max(
        raw.convForwardScratch(...sizes) >>> 0,
        raw.convInputGradientScratch(...sizes) >>> 0,
        raw.convFilterGradientScratch(...sizes) >>> 0,
      );
    },
  };
}

type Geometry = [number, number, number, number, number, number, number, number];
type ConvKernel = (p: number, q: number, r: number, ...rest: [...Geometry, number, number, number]) => void;

/** What the binary exports: numbers only. A pointer above 2 GiB comes back as a negative one. */
interface Exports {
  gemm(
    ...args: [
      ...[n: number, k: number, a: number, lda: number, transA: number, b: number, ldb: number, transB: number],
      ...[c: number, ldc: number, accumulate: number, scratch: number, rowBegin: number, rowEnd: number],
    ]
  ): void;
  gemmScratch(n: number, k: number): number;
  convForward: ConvKernel;
  convForwardScratch(...geometry: Geometry): number;
  convInputGradient: ConvKernel;
  convInputGradientScratch(...geometry: Geometry): number;
  convFilterGradient: ConvKernel;
  convFilterGradientScratch(...geometry: Geometry): number;
}

/** A convolution's sizes in the order of the binary's parameters. */
function geometry(s: ConvShape): Geometry {
  return [s.height, s.width, s.inputs, s.outputs, s.kernelHeight, s.kernelWidth, s.stride, s.padding];
}

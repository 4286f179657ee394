import { type CompiledKernels, compileKernels, createMemory, instantiate } from "../backend/cpu/wasm/load.ts";
import type { Exports } from "../backend/cpu/wasm/team.ts";

/** A row-major matrix in a workspace, or a part of one: the place of its first number, and from row to row. */
export interface Block {
  readonly start: number;
  readonly stride: number;
}

/** The block that begins at a row and a column of another one. */
export function partOf({ start, stride }: Block, row: number, column: number): Block {
  return { start: start + row * stride + column, stride };
}

const BYTES = 8, PAGE = 65536;

/** Numbers of a cache line: where whatever is taken begins. */
const LINE = 8;

/**
 * Float64 numbers in WebAssembly memory, with SIMD kernels that compute on them (`assembly/*64.ts`). A place is an
 * index into `numbers`. Memory is taken piece by piece and given back as a whole.
 */
export class Workspace {
  readonly #memory = createMemory(PAGE);
  readonly #kernels: Exports;
  readonly #scratch = LINE;
  #end = LINE;
  #numbers: Float64Array;

  constructor(compiled: CompiledKernels) {
    this.#kernels = instantiate(compiled, this.#memory);
    this.#numbers = new Float64Array(this.#memory.buffer);
    this.reset();
  }

  /** All numbers. To be asked for anew after `take`, which may have added some. */
  get numbers(): Float64Array {
    return this.#numbers;
  }

  /** Gives everything back. */
  reset(): void {
    this.#end = this.#scratch;
    this.take(this.#kernels.gemm64Scratch() / BYTES);
  }

  /** The place of so many numbers, which are not zero. @throws RangeError if the 4 GiB are full */
  take(count: number): number {
    const start = this.#end;
    this.#end += Math.ceil(count / LINE) * LINE;
    const missing = this.#end * BYTES - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE));
      this.#numbers = new Float64Array(this.#memory.buffer);
    }
    return start;
  }

  /** `C[m, n] += alpha op(A) op(B)` with depth k; op transposes where it is asked to. */
  multiply(
    [m, n, k]: readonly [m: number, n: number, k: number],
    alpha: number,
    a: Block,
    b: Block,
    c: Block,
    { transA = false, transB = false } = {},
  ): void {
    const operands = [a.start * BYTES, a.stride, +transA, b.start * BYTES, b.stride, +transB];
    this.#kernels.gemm64(m, n, k, alpha, ...operands, c.start * BYTES, c.stride, this.#scratch * BYTES);
  }

  /** `y[i] = A[i] . x` for the rows of A[count, length]. */
  rowProducts(count: number, length: number, a: Block, x: number, y: number): void {
    this.#kernels.rowProducts64(count, length, a.start * BYTES, a.stride, x * BYTES, y * BYTES);
  }

  /** `y += alpha sum_i x[i] A[i]` for the rows of A[count, length]. */
  addRows(count: number, length: number, alpha: number, a: Block, x: number, y: number): void {
    this.#kernels.addRows64(count, length, alpha, a.start * BYTES, a.stride, x * BYTES, y * BYTES);
  }

  /**
   * Runs of plane rotations of neighbouring rows, downwards: `x, y <- c x + s y, c y - s x`.
   *
   * @param a the place of a matrix [rows, 8 panels] as panels of eight columns: [panels, rows, 8]
   * @param count how many runs
   * @param runs the place of the first: its first row, how many rotations it has, and the cosine and sine of each
   */
  rotatePanels(rows: number, panels: number, a: number, count: number, runs: number): void {
    this.#kernels.rotatePanels64(rows, panels, a * BYTES, count, runs * BYTES);
  }
}

let compiled: CompiledKernels | undefined;
let held: WeakRef<Workspace> | undefined;

/**
 * An empty workspace. The last one is taken again if the garbage collector has left it: then its memory is there
 * already. Nobody may use the one that was opened before.
 */
export function openWorkspace(): Workspace {
  const last = held?.deref();
  last?.reset();
  const workspace = last ?? new Workspace(compiled ??= compileKernels());
  if (!last) held = new WeakRef(workspace);
  return workspace;
}

import { Heap } from "../backend/cpu/heap.ts";
import { type CompiledKernels, compileKernels, createMemory, loadKernels, PAGE } from "../backend/cpu/wasm/load.ts";
import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";

/** A row-major matrix in a workspace, or a part of one: the place of its first number, and from row to row. */
export interface Block {
  readonly start: number;
  readonly stride: number;
}

/** The block that begins at a row and a column of another one. */
export function partOf({ start, stride }: Block, row: number, column: number): Block {
  return { start: start + row * stride + column, stride };
}

const BYTES = 8;

/** Where a workspace has its memory, and the kernels that compute there: the cpu backend, or a memory of its own. */
export type Room = Pick<WasmRuntime, "kernels" | "allocate" | "release">;

/** Compiled once: a memory may be given up and made anew between two decompositions. */
let once: CompiledKernels | undefined;

/** A memory of its own, and this thread alone. */
export function ownRoom(compiled: CompiledKernels = once ??= compileKernels()): Room {
  const memory = createMemory(PAGE), heap = new Heap(memory);
  return {
    kernels: loadKernels(memory, compiled),
    allocate: (bytes) => heap.allocate(bytes),
    release: (begin, bytes) => heap.release(begin, bytes),
  };
}

/**
 * Float64 numbers in WebAssembly memory, with SIMD kernels that compute on them (`assembly/*64.ts`). A place is an
 * index into `numbers`. Memory is taken piece by piece and given back as a whole.
 */
export class Workspace implements Disposable {
  readonly #taken: { readonly begin: number; readonly bytes: number }[] = [];
  readonly #scratch: number;
  #numbers: Float64Array;

  constructor(private readonly room: Room) {
    this.#numbers = new Float64Array(0);
    this.#scratch = this.take(room.kernels.gemm64Scratch() / BYTES);
  }

  /** All numbers. To be asked for anew after `take`, which may have added some. */
  get numbers(): Float64Array {
    return this.#numbers;
  }

  /** The place of so many numbers, which are not zero. @throws DeviceError if the 4 GiB are full */
  take(count: number): number {
    const { kernels: { memory } } = this.room, bytes = count * BYTES;
    const begin = this.room.allocate(bytes);
    this.#taken.push({ begin, bytes });
    if (this.#numbers.byteLength < memory.buffer.byteLength) this.#numbers = new Float64Array(memory.buffer);
    return begin / BYTES;
  }

  /** Gives everything back. */
  [Symbol.dispose](): void {
    for (const { begin, bytes } of this.#taken.splice(0)) this.room.release(begin, bytes);
  }

  /** `C[m, n] += sign op(A) op(B)` with depth k; op transposes where it is asked to. */
  multiply(
    [m, n, k]: readonly [m: number, n: number, k: number],
    sign: 1 | -1,
    a: Block,
    b: Block,
    c: Block,
    { transA = false, transB = false } = {},
  ): void {
    const left = [a.start * BYTES, a.stride, transA] as const, right = [b.start * BYTES, b.stride, transB] as const;
    const scratch = this.#scratch * BYTES;
    this.room.kernels.gemm64(m, n, k, sign, ...left, ...right, c.start * BYTES, c.stride, scratch);
  }

  /** `y[i] = A[i] . x` for the rows of A[count, length]. */
  rowProducts(count: number, length: number, a: Block, x: number, y: number): void {
    this.room.kernels.rowProducts64(count, length, a.start * BYTES, a.stride, x * BYTES, y * BYTES);
  }

  /** `y += sign sum_i x[i] A[i]` for the rows of A[count, length]. */
  addRows(count: number, length: number, sign: 1 | -1, a: Block, x: number, y: number): void {
    this.room.kernels.addRows64(count, length, sign, a.start * BYTES, a.stride, x * BYTES, y * BYTES);
  }

  /**
   * Runs of plane rotations of neighbouring rows, downwards: `x, y <- c x + s y, c y - s x`.
   *
   * @param a the place of a matrix [rows, 8 panels] as panels of eight columns: [panels, rows, 8]
   * @param count how many runs
   * @param runs the place of the first: its first row, how many rotations it has, and the cosine and sine of each
   */
  rotatePanels(rows: number, panels: number, a: number, count: number, runs: number): void {
    this.room.kernels.rotatePanels64(rows, panels, a * BYTES, count, runs * BYTES);
  }
}

let held: WeakRef<Room> | undefined;

/**
 * An empty workspace.
 *
 * @param room where: by default in a memory of its own on this thread alone, that of the last workspace if the garbage
 * collector has left it, as its memory is there already
 */
export function openWorkspace(room?: Room | null): Workspace {
  const own = room ?? held?.deref() ?? ownRoom();
  if (!room) held = new WeakRef(own);
  return new Workspace(own);
}

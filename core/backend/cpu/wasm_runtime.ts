import type { WasmKernels } from "./wasm/wasm_kernels.ts";

/** What the cpu halves of kernels may use besides plain loops; absent in float64. */
export interface WasmRuntime {
  /** SIMD kernels over the memory that every float32 storage of the cpu backend lives in: pointers are byte offsets. */
  readonly kernels: WasmKernels;
  /** Byte offset of a scratch area of at least so many bytes, valid until the next call. */
  scratch(bytes: number): number;
}

/** Copies numbers into scratch memory: byte offsets of the copies, and of `more` free bytes behind them. */
export function stage(
  wasm: WasmRuntime,
  lists: readonly Float64Array[],
  more = 0,
): { readonly pointers: readonly number[]; readonly rest: number } {
  const bytes = lists.reduce((sum, { length }) => sum + padded(length), 0);
  let begin = wasm.scratch(bytes + more);
  const pointers = lists.map((list) => {
    const pointer = begin;
    new Float32Array(wasm.kernels.memory.buffer, pointer, list.length).set(list);
    begin += padded(list.length);
    return pointer;
  });
  return { pointers, rest: begin };
}

/** Copies numbers into scratch memory as float64: the byte offset of the first. */
export function stageDoubles({ kernels, scratch }: WasmRuntime, numbers: readonly number[]): number {
  const pointer = scratch(8 * numbers.length);
  new Float64Array(kernels.memory.buffer, pointer, numbers.length).set(numbers);
  return pointer;
}

/** Bytes of so many floats, rounded up to a cache line. */
const padded = (length: number) => Math.ceil(length / 16) * 64;

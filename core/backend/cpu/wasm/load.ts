import { fromBase64 } from "../../../byte_texts.ts";
import { PLAIN_KERNELS, RELAXED_KERNELS } from "./kernels.generated.ts";
import { splitKernels } from "./split.ts";
import type { Exports } from "./team.ts";
import type { WasmKernels } from "./wasm_kernels.ts";

export { convOutputSize, type ConvShape, type WasmKernels } from "./wasm_kernels.ts";

/** Bytes of a page of WebAssembly memory. */
export const PAGE = 65536;

/** The most pages a 32-bit memory can have: 4 GiB. */
const MAXIMUM_PAGES = 65536;

/**
 * A shared memory for tensors. It can grow up to 4 GiB, and views of it stay valid when it does (though they stay as
 * long as they were: make a new one to see the added bytes).
 *
 * @param bytes size to begin with, rounded up to whole pages of 64 KiB
 */
export function createMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE), maximum: MAXIMUM_PAGES, shared: true });
}

/** The compiled kernels; the module can be sent to another thread, and instantiated there on the same memory. */
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
    const fused = fromBase64(RELAXED_KERNELS);
    if (WebAssembly.validate(fused)) return { module: new WebAssembly.Module(fused), relaxed: true };
  }
  return { module: new WebAssembly.Module(fromBase64(PLAIN_KERNELS)), relaxed: false };
}

/** The functions of the kernels, on a shared memory. */
export function instantiate({ module }: CompiledKernels, memory: WebAssembly.Memory): Exports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
}

/**
 * Instantiates the kernels on a shared memory, to run on this thread alone. See `loadThreadedKernels` for several.
 *
 * @param memory from {@link createMemory}
 * @param compiled from {@link compileKernels}
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
  return splitKernels(memory, compiled.relaxed, instantiate(compiled, memory));
}

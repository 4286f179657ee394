import type { WasmKernels } from "./wasm/load.ts";

/** What the cpu halves of kernels may use besides plain loops; absent in float64. */
export interface WasmRuntime {
  /** SIMD kernels over the memory that every float32 storage of the cpu backend lives in: pointers are byte offsets. */
  readonly kernels: WasmKernels;
  /** Byte offset of a scratch area of at least so many bytes, valid until the next call. */
  scratch(bytes: number): number;
}

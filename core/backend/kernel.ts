import type { Floats } from "./backend.ts";
import type { WasmRuntime } from "./cpu/wasm_runtime.ts";

/**
 * The kind of a kernel's parameter in the shader's uniform struct. A `seed` is a `u32` too, a random number: where a
 * run of kernels is replayed, it gets a fresh one in the place of each that it drew.
 */
export type ParameterType = "u32" | "f32" | "seed";

/**
 * What a tensor's numbers are to a shader: single ones, vectors of four, or `Element`, which stands for either, as the
 * launch decides: for all tensors of a kernel, or for each.
 */
export type ElementType = "f32" | "vec4f" | "Element";

/** Properties of an adapter by which a kernel chooses its variant. */
export interface AdapterTraits {
  /** A software adapter (lavapipe, SwiftShader): barriers and shared memory are slow there. */
  readonly software: boolean;
  /** With so many threads it is busy: a long sum for fewer is cut into parts, which are summed afterwards. */
  readonly enoughThreads: number;
  /** Elements that one thread takes where there is little to do for each. */
  readonly elementsPerThread: number;
  /** Channels from which on Winograd's algorithm is worth its passes over memory. */
  readonly fewestWinogradChannels: number;
  /** The most threads that one workgroup can have. */
  readonly maxWorkgroupInvocations: number;
  /** The most bytes of shared memory that one workgroup can have. */
  readonly maxWorkgroupStorageBytes: number;
  /** The most workgroups along x, y or z of one dispatch; a longer run takes a second dimension. */
  readonly maxWorkgroupsPerDimension: number;
  /**
   * Counted work (see `AnyKernel.operations`) after which a command buffer ends. Systems reset a GPU that is busy with
   * one for too long: Windows after two seconds.
   */
  readonly workPerSubmit: number;
}

/** Which shader runs, and over how many workgroups. */
export interface Launch {
  /** The whole WGSL module. */
  readonly code: string;
  /** The name of its `@compute` function. */
  readonly entryPoint: string;
  /** `override` constants of the pipeline. */
  readonly constants?: Readonly<Record<string, number>>;
  /** How many workgroups are dispatched along x, y and z. */
  readonly workgroups: readonly [number, number, number];
}

/** A {@link Kernel} with any tensors and parameters. */
export interface AnyKernel {
  /** Unique among kernels; pipelines are cached under it. */
  readonly name: string;
  /** The tensors that it only reads, by binding order, with what their numbers are to the shader. */
  readonly reads: Readonly<Record<string, ElementType>>;
  /** The tensors that it writes, likewise. */
  readonly writes: Readonly<Record<string, ElementType>>;
  /** The numbers it takes beside tensors, with their types in the uniform struct. */
  readonly parameters: Readonly<Record<string, ParameterType>>;
  /**
   * The shader for these parameters on this adapter, and how many workgroups of it run.
   *
   * @param halves the names of those tensors that are float16; none by default
   */
  launch(
    parameters: Readonly<Record<string, number>>,
    adapter: AdapterTraits,
    halves?: readonly string[],
  ): Launch;
  /**
   * Floating-point operations, a multiply-add counted as two; left out where they are a few for each number that is
   * read or written.
   */
  operations?(parameters: Readonly<Record<string, number>>): number;
  /**
   * The same computation on the host; it changes the views that `writes` names.
   *
   * @param wasm SIMD kernels over the same memory; `null` in float64, where plain loops do it all
   */
  cpu(
    views: Readonly<Record<string, Floats>>,
    parameters: Readonly<Record<string, number>>,
    wasm: WasmRuntime | null,
  ): void;
}

/**
 * One computation, for both backends: a shader and how to launch it, and a loop over typed arrays that does the same.
 *
 * In the shader, binding 0 of group 0 is the uniform struct with the members of `parameters` in their order, and the
 * tensors follow: first `reads`, then `writes`. A binding that is both read and written stands in `writes`.
 */
export interface Kernel<Binding extends string, Parameter extends string> extends AnyKernel {
  /** By these names. */
  readonly parameters: Readonly<Record<Parameter, ParameterType>>;
  /** Of these parameters. */
  launch(
    parameters: Readonly<Record<Parameter, number>>,
    adapter: AdapterTraits,
    halves?: readonly string[],
  ): Launch;
  /** Of these tensors and parameters. */
  cpu(
    views: Readonly<Record<Binding, Floats>>,
    parameters: Readonly<Record<Parameter, number>>,
    wasm: WasmRuntime | null,
  ): void;
}

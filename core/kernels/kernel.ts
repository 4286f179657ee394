import type { Floats } from "../backend/backend.ts";
import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";

/** The kind of a kernel's parameter in the shader's uniform struct. */
export type ParameterType = "u32" | "f32";

/** Properties of an adapter by which a kernel chooses its variant. */
export interface AdapterTraits {
  /** A software adapter (lavapipe, SwiftShader): barriers and shared memory are slow there. */
  readonly software: boolean;
  /** The most threads that one workgroup can have. */
  readonly maxWorkgroupInvocations: number;
  /** The most bytes of shared memory that one workgroup can have. */
  readonly maxWorkgroupStorageBytes: number;
  /** The most workgroups along x, y or z of one dispatch; a longer run takes a second dimension. */
  readonly maxWorkgroupsPerDimension: number;
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

/**
 * One computation, for both backends: a shader and how to launch it, and a loop over typed arrays that does the same.
 *
 * In the shader, binding 0 of group 0 is the uniform struct with the members of `parameters` in their order, and the
 * tensors follow: first `reads`, then `writes`. A binding that is both read and written stands in `writes`.
 */
export interface Kernel<Binding extends string = string, Parameter extends string = string> {
  /** Unique among kernels; pipelines are cached under it. */
  readonly name: string;
  /** The tensors that it only reads, by binding order. */
  readonly reads: readonly Binding[];
  /** The tensors that it writes, by binding order. */
  readonly writes: readonly Binding[];
  /** The numbers it takes beside tensors, with their types in the uniform struct. */
  readonly parameters: Readonly<Record<Parameter, ParameterType>>;
  /** The shader for these parameters on this adapter, and how many workgroups of it run. */
  launch(parameters: Readonly<Record<Parameter, number>>, adapter: AdapterTraits): Launch;
  /**
   * The same computation on the host; it changes the views that `writes` names.
   *
   * @param wasm SIMD kernels over the same memory; `null` in float64, where plain loops do it all
   */
  cpu(
    views: Readonly<Record<Binding, Floats>>,
    parameters: Readonly<Record<Parameter, number>>,
    wasm: WasmRuntime | null,
  ): void;
}

const registry = new Map<string, Kernel>();

/** Registers a kernel under its name, so that tests can walk all of them. */
export function defineKernel<Binding extends string, Parameter extends string>(
  kernel: Kernel<Binding, Parameter>,
): Kernel<Binding, Parameter> {
  if (registry.has(kernel.name)) throw new Error(`Cannot define kernel "${kernel.name}" twice`);
  registry.set(kernel.name, kernel as unknown as Kernel);
  return kernel;
}

/** All kernels defined so far, by name. */
export function kernels(): ReadonlyMap<string, Kernel> {
  return registry;
}

/** Threads per workgroup of kernels with one thread per element. */
export const LINEAR_WORKGROUP = 64;

/**
 * Workgroups for `count` threads in a row; beyond the limit of one dimension they continue in the second, and the shader
 * finds its index as `id.x + id.y * groups.x * 64`.
 */
export function linear(count: number, adapter: AdapterTraits): [number, number, number] {
  const groups = Math.max(1, Math.ceil(count / LINEAR_WORKGROUP));
  const x = Math.min(groups, adapter.maxWorkgroupsPerDimension);
  return [x, Math.ceil(groups / x), 1];
}

/** Elements that a thread of a software adapter takes, as starting one costs it more than a dozen elements do. */
const ELEMENTS_PER_THREAD = 16;

/**
 * Threads for `count` elements in a shader whose threads go on to the next element that nobody has: one for each on a
 * GPU, fewer on a software adapter.
 */
export function threadsOver(count: number, adapter: AdapterTraits): number {
  return adapter.software ? Math.ceil(count / ELEMENTS_PER_THREAD) : count;
}

/** Workgroups for a shader with the loop `for (i = id.x + id.y * groups.x * 64; i < count; i += all threads)`. */
export function spread(count: number, adapter: AdapterTraits): [number, number, number] {
  return linear(threadsOver(count, adapter), adapter);
}

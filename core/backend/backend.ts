import type { NumberFormat } from "./format.ts";
import type { Exchange } from "./exchange.ts";
import type { WasmRuntime } from "./cpu/wasm_runtime.ts";
import type { AdapterTraits, Kernel } from "./kernel.ts";
import type { Call, Program } from "./program.ts";

/** Numbers as the host sees them: float32, or float64 on the cpu backend when gradients are checked. */
export type Floats = Float32Array | Float64Array;

/** A block of device memory that holds a run of numbers. Its insides belong to the backend that allocated it. */
export interface Storage {
  /** How many numbers of the backend's precision it holds; of float16, two lie in the place of one. */
  readonly length: number;
}

/** A part of a storage: what a kernel reads or writes, as numbers of one format. */
export interface View {
  /** The storage that it is a part of. */
  readonly storage: Storage;
  /**
   * First number, counted in the view's format from the storage's start; a multiple of {@link VIEW_ALIGNMENT}, of
   * float16 of twice as much.
   */
  readonly offset: number;
  /** How many numbers it has. */
  readonly length: number;
  /** How they lie in memory; float32 by default. */
  readonly format?: NumberFormat;
}

/** Views start at multiples of so many numbers: WebGPU binds a storage buffer at multiples of 256 bytes. */
export const VIEW_ALIGNMENT = 64;

/**
 * The most numbers of one storage that every WebGPU adapter can bind: 128 MiB of float32. Who divides by it does so on
 * all backends, so that one can continue what another began.
 */
export const MOST_NUMBERS: number = 2 ** 25;

/** Live and peak device memory, in storages and bytes. Memory that a pool keeps for reuse is not live. */
export interface MemoryUse {
  /** Storages in use. */
  readonly storages: number;
  /** Bytes in use. */
  readonly bytes: number;
  /** The most bytes that were in use at once. */
  readonly peakBytes: number;
}

/** The work sent to the device so far. */
export interface WorkCount {
  /** Kernels enqueued. */
  readonly dispatches: number;
  /** Command buffers sent to a GPU; 0 on the cpu. */
  readonly submits: number;
}

/**
 * Where tensors live and kernels run. There are two: `webgpu` and `cpu`. Both run the same list of kernels, and nothing
 * above this interface knows which one it talks to.
 *
 * `run` and `copy` only enqueue: they return at once and take effect in the order of the calls. `read` is the one place
 * that waits.
 */
export interface Backend {
  /** The name shown to people; code asks for {@link parallel} or {@link traits} instead. */
  readonly name: "webgpu" | "cpu";
  /** The precision of its arithmetic. */
  readonly precision: "float32" | "float64";
  /** One line for people, and what the bits of its results depend on: adapter, or instruction set, threads, library. */
  readonly description: string;
  /**
   * Whether every number of a result has a thread of its own, so that a long sum for few of them is worth cutting into
   * parts. Where it is not, a kernel shares its work among the few threads that there are by itself.
   */
  readonly parallel: boolean;
  /** The adapter that kernels are launched on; the cpu has none. */
  readonly traits?: AdapterTraits;
  /** What decompositions on the host may use besides their own thread; the cpu has it in float32. */
  readonly wasm?: WasmRuntime;
  /** The most numbers that one storage can have. */
  readonly mostNumbers: number;
  /** Whether views may be of float16: it was asked for, and the adapter has the feature `shader-f16`. */
  readonly f16: boolean;
  /** For libraries that compute on the same device. */
  readonly exchange: Exchange;
  /** Memory for `length` numbers, at most {@link mostNumbers}, contents undefined. */
  allocate(length: number): Storage;
  /** Gives memory back; kernels enqueued before still see it. */
  release(storage: Storage): void;
  /** Host numbers into a view. */
  write(target: View, data: ArrayLike<number>): void;
  /** Copies between views of equal length, which must not overlap, nor be of float16. */
  copy(source: View, target: View): void;
  /** Enqueues one kernel. */
  run<Binding extends string, Parameter extends string>(
    kernel: Kernel<Binding, Parameter>,
    views: Readonly<Record<Binding, View>>,
    parameters: Readonly<Record<Parameter, number>>,
  ): void;
  /** Makes a list of calls ready to be enqueued again and again, at a fraction of the cost of the single calls. */
  compile(calls: readonly Call[]): Program;
  /** Reads views back, all in one wait. @throws DeviceError if the device was lost or a kernel failed */
  read(views: readonly View[]): Promise<Floats[]>;
  /** Device memory in use. */
  memory(): MemoryUse;
  /** The work sent to the device so far. */
  work(): WorkCount;
  /** Waits for enqueued work and frees everything. */
  close(): Promise<void>;
}

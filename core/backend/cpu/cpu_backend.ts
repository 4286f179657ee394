import type { Backend, Floats, MemoryUse, Storage, View, WorkCount } from "../backend.ts";
import type { HostExchange } from "../exchange.ts";
import type { Kernel } from "../kernel.ts";
import type { Call, Program } from "../program.ts";
import { Heap } from "./heap.ts";
import type { NativeLibrary } from "../../native_library.ts";
import { createMemory } from "./wasm/load.ts";
import { loadThreadedKernels } from "./wasm/threads.ts";
import type { WasmKernels } from "./wasm/wasm_kernels.ts";
import type { WasmRuntime } from "./wasm_runtime.ts";

/** The shared memory to begin with; it grows. */
const INITIAL_BYTES = 16 * 2 ** 20;

class CpuStorage implements Storage {
  readonly length: number;
  constructor(readonly data: Floats) {
    this.length = data.length;
  }
}

/** How the cpu backend computes. */
export interface CpuOptions {
  /** `float64` is for gradient checks: plain loops in doubles. */
  readonly precision?: "float32" | "float64";
  /** Threads that share the large kernels; by default one for each processor, 8 at most. */
  readonly threads?: number;
  /** A native library that multiplies matrices in float32; by default none, and WebAssembly does. */
  readonly library?: NativeLibrary | null;
}

/**
 * The backend without a GPU. In float32 all storages lie in one WebAssembly memory, so that the SIMD kernels read and
 * write them in place; in float64 they are ordinary arrays.
 */
export class CpuBackend implements Backend {
  readonly name = "cpu";
  readonly parallel = false;
  readonly f16 = false;
  readonly mostNumbers: number;
  readonly exchange: HostExchange = { on: "cpu", numbers: floats };
  #live = new Set<CpuStorage>();
  #bytes = 0;
  #peakBytes = 0;
  #dispatches = 0;
  #scratch = { begin: 0, bytes: 0 };
  readonly wasm?: WasmRuntime;

  private constructor(
    readonly precision: "float32" | "float64",
    private readonly heap: Heap | null,
    private readonly kernels: WasmKernels | null,
    private readonly library: NativeLibrary | null = null,
  ) {
    // WebAssembly addresses 4 GiB.
    this.mostNumbers = precision === "float32" ? 2 ** 30 : Infinity;
    if (kernels && heap) {
      this.wasm = {
        kernels,
        scratch: (bytes) => this.#scratchOf(bytes),
        allocate: (bytes) => heap.allocate(bytes),
        release: (begin, bytes) => heap.release(begin, bytes),
      };
    }
  }

  static async create({ precision = "float32", threads, library = null }: CpuOptions = {}): Promise<CpuBackend> {
    if (precision === "float64") return new CpuBackend(precision, null, null);
    const memory = createMemory(INITIAL_BYTES);
    const kernels = await loadThreadedKernels(memory, threads, library);
    return new CpuBackend(precision, new Heap(memory), kernels, library);
  }

  get description(): string {
    if (!this.kernels) return "float64, plain loops";
    const { relaxed, threads, svd } = this.kernels;
    const simd = `WebAssembly SIMD${relaxed ? " with fused multiply-add" : ""}`;
    const products = this.library ? `, matrix products by ${this.library.maker}` : "";
    const decompositions = this.library && svd ? ", decompositions by its LAPACK" : "";
    return `${simd}, ${threads} thread${threads === 1 ? "" : "s"}${products}${decompositions}`;
  }

  allocate(length: number): Storage {
    const storage = new CpuStorage(this.#array(length));
    this.#live.add(storage);
    this.#bytes += storage.data.byteLength;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return storage;
  }

  release(storage: Storage): void {
    const { data } = storage as CpuStorage;
    if (!this.#live.delete(storage as CpuStorage)) throw new Error("Cannot release a storage twice");
    this.#bytes -= data.byteLength;
    this.heap?.release(data.byteOffset, data.byteLength);
  }

  write(target: View, data: ArrayLike<number>): void {
    floats(target).set(data);
  }

  copy(source: View, target: View): void {
    floats(target).set(floats(source));
  }

  run<Binding extends string, Parameter extends string>(
    kernel: Kernel<Binding, Parameter>,
    views: Readonly<Record<Binding, View>>,
    parameters: Readonly<Record<Parameter, number>>,
  ): void {
    this.#dispatches++;
    kernel.cpu(arraysOf(views), parameters, this.wasm ?? null);
  }

  compile(calls: readonly Call[]): Program {
    // A parameter that changes does so in a copy: the calls stay as they are.
    const parametersOf = calls.map((call) => "kernel" in call ? { ...call.parameters } : {});
    const actions = calls.map((call, index) => {
      if (!("kernel" in call)) {
        const [source, target] = [floats(call.source), floats(call.target)];
        return () => target.set(source);
      }
      const arrays = arraysOf(call.views);
      return () => call.kernel.cpu(arrays, parametersOf[index], this.wasm ?? null);
    });
    const kernels = calls.filter((call) => "kernel" in call).length;
    return {
      run: () => {
        this.#dispatches += kernels;
        for (const action of actions) action();
      },
      set(call, parameter, value) {
        parametersOf[call][parameter] = value;
      },
      dispose() {},
    };
  }

  read(views: readonly View[]): Promise<Floats[]> {
    // Copies: the caller keeps them beyond the storage's life, and shared memory is refused by many web interfaces.
    return Promise.resolve(views.map((view) => {
      const source = floats(view);
      const copy = this.precision === "float64" ? new Float64Array(source.length) : new Float32Array(source.length);
      copy.set(source);
      return copy;
    }));
  }

  memory(): MemoryUse {
    return { storages: this.#live.size, bytes: this.#bytes, peakBytes: this.#peakBytes };
  }

  work(): WorkCount {
    return { dispatches: this.#dispatches, submits: 0 };
  }

  async close(): Promise<void> {
    this.#live.clear();
    await this.kernels?.close();
  }

  #array(length: number): Floats {
    if (!this.heap) return new Float64Array(length);
    const begin = this.heap.allocate(length * 4);
    // Only now: allocating may have grown the memory, and with it the buffer that views can reach into.
    return new Float32Array(this.heap.memory.buffer, begin, length);
  }

  #scratchOf(bytes: number): number {
    if (this.heap && bytes > this.#scratch.bytes) {
      if (this.#scratch.bytes > 0) this.heap.release(this.#scratch.begin, this.#scratch.bytes);
      this.#scratch = { begin: this.heap.allocate(bytes), bytes };
    }
    return this.#scratch.begin;
  }
}

function arraysOf<Binding extends string>(views: Readonly<Record<Binding, View>>): Record<Binding, Floats> {
  const arrays = {} as Record<Binding, Floats>;
  for (const binding in views) arrays[binding] = floats(views[binding]);
  return arrays;
}

function floats({ storage, offset, length }: View): Floats {
  const { data } = storage as CpuStorage;
  return offset === 0 && length === data.length ? data : data.subarray(offset, offset + length);
}

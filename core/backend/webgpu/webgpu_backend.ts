import type { Backend, Floats, MemoryUse, Storage, View, WorkCount } from "../backend.ts";
import type { GpuExchange } from "../exchange.ts";
import type { AdapterTraits, Kernel } from "../kernel.ts";
import { describeAdapter, mostNumbersOf, openDevice, traitsOf } from "./adapter.ts";
import type { Call, Program } from "../program.ts";
import { halvesOf } from "../format.ts";
import { BindGroups, UNIFORM_STRIDE } from "./bind_groups.ts";
import { BufferPool } from "./buffer_pool.ts";
import { BUFFER_USAGE } from "./flags.ts";
import { GpuFailure } from "./gpu_failure.ts";
import { encodeCopy, GpuProgram } from "./gpu_program.ts";
import { GpuStorage } from "./gpu_storage.ts";
import { ReadBack } from "./read_back.ts";
import { type Pipeline, PipelineCache, writeParameters } from "./pipelines.ts";
import { workOf } from "./work.ts";

/** Dispatches gathered before they are sent: fewer submits cost less, a longer queue starts later. */
const DISPATCHES_PER_SUBMIT = 128;

interface Dispatch {
  readonly pipeline: Pipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** How a device is opened otherwise than the adapter offers, to try what another one would run. */
export interface WebGpuOptions {
  /** In place of what the adapter is. */
  readonly traits?: Partial<AdapterTraits>;
  /** Whether to ask for nothing beyond WebGPU's default limits. */
  readonly defaultLimits?: boolean;
  /** Whether to ask for float16, where the adapter has it. */
  readonly f16?: boolean;
  /** The most numbers of one tensor, where that is to be fewer than the device allows. */
  readonly mostNumbers?: number;
}

/**
 * The backend on WebGPU. Kernels are gathered into one command buffer and sent in batches, by number and by work; their
 * parameters lie in one uniform buffer with a dynamic offset each; nothing waits for the GPU but `read` and `close`.
 */
export class WebGpuBackend implements Backend {
  readonly name = "webgpu";
  readonly precision = "float32";
  readonly parallel = true;
  readonly description: string;
  readonly traits: AdapterTraits;
  readonly mostNumbers: number;
  readonly f16: boolean;
  readonly exchange: GpuExchange;
  readonly #pool: BufferPool;
  readonly #pipelines: PipelineCache;
  readonly #groups: BindGroups;
  readonly #live = new Set<GpuStorage>();
  readonly #uniform: GPUBuffer;
  readonly #uniformBytes = new DataView(new ArrayBuffer(DISPATCHES_PER_SUBMIT * UNIFORM_STRIDE));
  /** Uniform slots filled since the last submit, one to a dispatch. */
  #slot = 0;
  /** Work counted since the last submit. */
  #work = 0;
  /** Dispatches that are not in the encoder yet. */
  #pending: Dispatch[] = [];
  #encoder: GPUCommandEncoder | null = null;
  #bytes = 0;
  #peakBytes = 0;
  #dispatches = 0;
  #submits = 0;
  readonly #failure: GpuFailure;
  #closed = false;

  private constructor(
    adapter: GPUAdapter,
    readonly gpu: GPUDevice,
    { traits, mostNumbers = Infinity }: WebGpuOptions,
  ) {
    this.description = describeAdapter(adapter);
    this.traits = { ...traitsOf(adapter, gpu), ...traits };
    this.mostNumbers = Math.min(mostNumbers, mostNumbersOf(gpu));
    this.f16 = gpu.features.has("shader-f16");
    this.exchange = {
      on: "webgpu",
      device: gpu,
      copyOut: ({ storage, offset, length, format }, target) => {
        if (format === "f16") throw new Error("Cannot hand over float16: an exchange is of float32");
        this.#send((encoder) =>
          encoder.copyBufferToBuffer((storage as GpuStorage).buffer, offset * 4, target, 0, length * 4)
        );
      },
      copyIn: (source, { storage, offset, length }) =>
        this.#send((encoder) =>
          encoder.copyBufferToBuffer(source, 0, (storage as GpuStorage).buffer, offset * 4, length * 4)
        ),
    };
    this.#pool = new BufferPool(gpu, BUFFER_USAGE.STORAGE | BUFFER_USAGE.COPY_SRC | BUFFER_USAGE.COPY_DST);
    this.#pipelines = new PipelineCache(gpu);
    this.#uniform = gpu.createBuffer({
      size: this.#uniformBytes.byteLength,
      usage: BUFFER_USAGE.UNIFORM | BUFFER_USAGE.COPY_DST,
    });
    this.#groups = new BindGroups(gpu, this.#uniform);
    this.#failure = new GpuFailure(gpu, () => this.#bytes);
  }

  static async create(adapter: GPUAdapter, options: WebGpuOptions = {}): Promise<WebGpuBackend> {
    return new WebGpuBackend(adapter, await openDevice(adapter, options), options);
  }

  allocate(length: number): Storage {
    const storage = new GpuStorage(length, this.#pool.take(Math.max(length * 4, 4)));
    this.#live.add(storage);
    this.#bytes += storage.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return storage;
  }

  release(storage: Storage): void {
    const gpuStorage = storage as GpuStorage;
    if (!this.#live.delete(gpuStorage)) throw new Error("Cannot release a storage twice");
    this.#bytes -= gpuStorage.bytes;
    // The queue runs in order, so a buffer may be handed out again at once: whoever gets it writes after its last
    // reader. Only host writes overtake commands that are not submitted yet, hence `write` submits first.
    this.#pool.give(gpuStorage.buffer);
  }

  write(target: View, data: ArrayLike<number>): void {
    // Writing nothing is an assertion that fails in Deno's WebGPU.
    if (data.length === 0) return;
    this.#submit();
    const { buffer } = target.storage as GpuStorage;
    if (target.format === "f16") throw new Error("Cannot write float16 from the host: kernels do");
    const floats = data instanceof Float32Array ? data : Float32Array.from(data);
    this.gpu.queue.writeBuffer(buffer, target.offset * 4, floats as Float32Array<ArrayBuffer>);
  }

  copy(source: View, target: View): void {
    this.#encode();
    encodeCopy(this.#commands(), { source, target });
    this.#work += workOf({ source, target });
  }

  run<Binding extends string, Parameter extends string>(
    kernel: Kernel<Binding, Parameter>,
    views: Readonly<Record<Binding, View>>,
    parameters: Readonly<Record<Parameter, number>>,
  ): void {
    if (this.#slot === DISPATCHES_PER_SUBMIT || this.#work >= this.traits.workPerSubmit) this.#submit();
    const launch = kernel.launch(parameters, this.traits, halvesOf(views));
    const pipeline = this.#pipelines.get(kernel, launch);
    writeParameters(this.#uniformBytes, this.#slot * UNIFORM_STRIDE, kernel.parameters, parameters);
    this.#slot++;
    this.#work += workOf({ kernel, views, parameters });
    this.#pending.push({ pipeline, group: this.#groups.get(pipeline, views), workgroups: launch.workgroups });
    this.#dispatches++;
  }

  compile(calls: readonly Call[]): Program {
    return new GpuProgram(this.gpu, this.#pipelines, this.traits, calls, (program) => {
      this.#dispatches += program.dispatches;
      // Work that is waiting and the first part make one command buffer only if together they are not too much.
      if (program.parts > 1) this.#submit();
      this.#encode();
      for (let part = 0; part < program.parts; part++) {
        program.encode(this.#commands(), part);
        this.#submit();
      }
    });
  }

  async read(views: readonly View[]): Promise<Floats[]> {
    this.#encode();
    const readBack = new ReadBack(this.gpu, this.#commands(), views);
    this.#submit();
    try {
      await this.#failure.unless(readBack.map());
      return readBack.numbers();
    } finally {
      readBack.dispose();
    }
  }

  memory(): MemoryUse {
    return { storages: this.#live.size, bytes: this.#bytes, peakBytes: this.#peakBytes };
  }

  work(): WorkCount {
    return { dispatches: this.#dispatches, submits: this.#submits };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Deno ends in a panic if the process exits while a slow adapter still computes.
    this.#submit();
    await this.#failure.orLost(this.gpu.queue.onSubmittedWorkDone());
    for (const storage of this.#live) storage.buffer.destroy();
    this.#live.clear();
    this.#pool.clear();
    this.#uniform.destroy();
    this.gpu.destroy();
    await this.#failure.settled();
  }

  /** First the enqueued calls, then those that `encode` adds. */
  #send(encode: (encoder: GPUCommandEncoder) => void): void {
    this.#encode();
    encode(this.#commands());
    this.#submit();
  }

  #commands(): GPUCommandEncoder {
    return this.#encoder ??= this.gpu.createCommandEncoder();
  }

  /** Moves the gathered dispatches into the command encoder, in one compute pass. */
  #encode(): void {
    if (this.#pending.length === 0) return;
    const pass = this.#commands().beginComputePass();
    const first = this.#slot - this.#pending.length;
    this.#pending.forEach(({ pipeline, group, workgroups }, index) => {
      pass.setPipeline(pipeline.pipeline);
      pass.setBindGroup(0, group, [(first + index) * UNIFORM_STRIDE]);
      pass.dispatchWorkgroups(...workgroups);
    });
    pass.end();
    this.#pending = [];
  }

  #submit(): void {
    this.#encode();
    if (!this.#encoder) return;
    if (this.#slot > 0) {
      this.gpu.queue.writeBuffer(
        this.#uniform,
        0,
        this.#uniformBytes.buffer as ArrayBuffer,
        0,
        this.#slot * UNIFORM_STRIDE,
      );
      this.#slot = 0;
    }
    this.gpu.queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
    this.#work = 0;
    this.#submits++;
  }
}

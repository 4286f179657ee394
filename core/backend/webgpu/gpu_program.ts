import { halvesOf } from "../format.ts";
import type { AdapterTraits } from "../kernel.ts";
import type { Call, CopyCall, KernelCall, Program } from "../program.ts";
import { createBindGroup, UNIFORM_STRIDE } from "./bind_groups.ts";
import { BUFFER_USAGE } from "./flags.ts";
import type { GpuStorage } from "./gpu_storage.ts";
import { type PipelineCache, writeParameters } from "./pipelines.ts";
import { workOf } from "./work.ts";

/** A kernel call with everything that WebGPU wants to see made. */
interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  /** Its place among the dispatches, and in the uniform buffer. */
  readonly slot: number;
}

/**
 * Calls whose pipelines, bind groups and parameters are made once. A run costs two or three calls of WebGPU for each
 * dispatch, in one command buffer, or in several where the work is too much for one; all parameters lie in a uniform
 * buffer of the program's own.
 */
export class GpuProgram implements Program {
  /** How many kernels a run enqueues. */
  readonly dispatches: number;
  readonly #steps: readonly (Dispatch | CopyCall)[];
  /** How many command buffers a run takes. */
  readonly parts: number;
  /** The first step of each command buffer, and the end. */
  readonly #cuts: readonly number[];
  readonly #uniform: GPUBuffer;
  readonly #bytes: DataView;
  /** The offsets of all slots: WebGPU takes one without making an array. */
  readonly #offsets: Uint32Array;
  /** Slots whose parameters have changed since the last run. */
  readonly #changed = new Set<number>();
  readonly #parameters: Record<string, number>[];

  /** @param enqueue sends what {@link encode} encodes of each part */
  constructor(
    private readonly device: GPUDevice,
    pipelines: PipelineCache,
    traits: AdapterTraits,
    private readonly calls: readonly Call[],
    private readonly enqueue: (program: GpuProgram) => void,
  ) {
    const kernels = calls.filter((call) => "kernel" in call);
    this.dispatches = kernels.length;
    this.#bytes = new DataView(new ArrayBuffer(Math.max(kernels.length, 1) * UNIFORM_STRIDE));
    this.#offsets = Uint32Array.from(kernels, (_, slot) => slot * UNIFORM_STRIDE);
    this.#uniform = device.createBuffer({
      size: this.#bytes.byteLength,
      usage: BUFFER_USAGE.UNIFORM | BUFFER_USAGE.COPY_DST,
    });
    this.#parameters = calls.map((call) => "kernel" in call ? { ...call.parameters } : {});
    let slot = 0;
    this.#steps = calls.map((call) => {
      if (!("kernel" in call)) return call;
      const launch = call.kernel.launch(call.parameters, traits, halvesOf(call.views));
      const pipeline = pipelines.get(call.kernel, launch);
      writeParameters(this.#bytes, slot * UNIFORM_STRIDE, call.kernel.parameters, call.parameters);
      const group = createBindGroup(device, pipeline, call.views, this.#uniform);
      return { pipeline: pipeline.pipeline, group, workgroups: launch.workgroups, slot: slot++ };
    });
    this.#cuts = cutsOf(calls, traits.workPerSubmit);
    this.parts = this.#cuts.length - 1;
    device.queue.writeBuffer(this.#uniform, 0, this.#bytes.buffer as ArrayBuffer);
  }

  run(): void {
    for (const slot of this.#changed) {
      const begin = slot * UNIFORM_STRIDE;
      this.device.queue.writeBuffer(this.#uniform, begin, this.#bytes.buffer as ArrayBuffer, begin, UNIFORM_STRIDE);
    }
    this.#changed.clear();
    this.enqueue(this);
  }

  set(call: number, parameter: string, value: number): void {
    const { slot } = this.#steps[call] as Dispatch;
    this.#parameters[call][parameter] = value;
    const types = (this.calls[call] as KernelCall).kernel.parameters;
    writeParameters(this.#bytes, slot * UNIFORM_STRIDE, types, this.#parameters[call]);
    this.#changed.add(slot);
  }

  dispose(): void {
    this.#uniform.destroy();
  }

  /** A part in its order; copies cannot stand in a compute pass, so that each row of dispatches is one. */
  encode(encoder: GPUCommandEncoder, part: number): void {
    let pass: GPUComputePassEncoder | null = null;
    let current: GPUComputePipeline | null = null;
    for (let next = this.#cuts[part]; next < this.#cuts[part + 1]; next++) {
      const step = this.#steps[next];
      if ("source" in step) {
        pass?.end();
        pass = current = null;
        encodeCopy(encoder, step);
        continue;
      }
      pass ??= encoder.beginComputePass();
      if (step.pipeline !== current) pass.setPipeline(current = step.pipeline);
      pass.setBindGroup(0, step.group, this.#offsets, step.slot, 1);
      pass.dispatchWorkgroups(...step.workgroups);
    }
    pass?.end();
  }
}

/** Where calls are cut into parts: each ends with the call that brings its work to `most`. */
function cutsOf(calls: readonly Call[], most: number): number[] {
  const cuts = [0];
  let work = 0;
  calls.forEach((call, index) => {
    work += workOf(call);
    if (work < most || index + 1 === calls.length) return;
    cuts.push(index + 1);
    work = 0;
  });
  return [...cuts, calls.length];
}

/** A copy between views of float32 and of equal length. */
export function encodeCopy(encoder: GPUCommandEncoder, { source, target }: CopyCall): void {
  encoder.copyBufferToBuffer(
    (source.storage as GpuStorage).buffer,
    source.offset * 4,
    (target.storage as GpuStorage).buffer,
    target.offset * 4,
    source.length * 4,
  );
}

import type { Backend } from "../../../core/backend/backend.ts";
import type { Call, KernelCall, Program } from "../../../core/backend/program.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { UserError, wordsOf } from "../../../core/errors.ts";
import type { Ceiling } from "../ceiling.ts";
import type { KernelCase, Prepared } from "./cases.ts";

/** What was measured of a case; the reason alone where there is nothing to measure. */
export interface KernelRow {
  readonly network: string;
  readonly name: string;
  readonly size: string;
  /** Seconds of one computation, the best of several; no time where the result was wrong. */
  readonly seconds?: number;
  /** Bytes that have to be read and written at least: of every tensor that goes in or comes out. */
  readonly bytes?: number;
  readonly operations?: number;
  /** Kernels that are enqueued. */
  readonly dispatches?: number;
  /** Part of the bytes a second that a copying kernel moves on this adapter. */
  readonly ofBandwidth?: number;
  /** Part of the adapter's multiply-adds in registers. */
  readonly ofPeak?: number;
  /** Largest difference from the cpu backend, over its largest number. */
  readonly error?: number;
  /** Why there is nothing else. */
  readonly reason?: string;
}

/** Above the rounding of sums as long as these in float32, below what a wrong kernel does. */
const TOLERANCE = 1e-3;
/** Waiting for a GPU takes up to 10 ms, which must not count for much. */
const SAMPLE_SECONDS = 0.15;
const SAMPLES = 3;
/** Kernels in a program: enough that starting it does not count, and not many to make ready. */
const DISPATCHES = 64;

/**
 * Times a case on a backend, and holds what it computes against the cpu backend.
 *
 * @param ceiling what the adapter can do at most
 */
export async function measureKernel(backend: Backend, kernelCase: KernelCase, ceiling: Ceiling): Promise<KernelRow> {
  const { network, name, size } = kernelCase;
  const about = { network, name, size };
  try {
    const expected = await onCpu(kernelCase);
    const { numbers, seconds, bytes, calls } = await timed(backend, kernelCase);
    const error = Math.max(...numbers.map((own, index) => differenceOf(own, expected[index])));
    if (!(error <= TOLERANCE)) return { ...about, error, reason: `wrong by ${error.toExponential(0)}` };
    const operations = kernelCase.operations ?? operationsOf(calls);
    return {
      ...about,
      seconds,
      bytes,
      operations,
      dispatches: calls.length,
      ofBandwidth: bytes / seconds / 1e9 / ceiling.gigabytesPerSecond,
      ofPeak: operations / seconds / 1e9 / ceiling.gflops,
      error,
    };
  } catch (error) {
    if (error instanceof UserError) return { ...about, reason: error.message };
    return { ...about, reason: wordsOf(error) };
  }
}

/** A case's results on the cpu backend. */
async function onCpu(kernelCase: KernelCase): Promise<Float32Array[]> {
  const backend = await CpuBackend.create();
  try {
    const ops = createOps(backend);
    return await read(ops, ops.scope(() => kernelCase.prepare(ops).compute()));
  } finally {
    await backend.close();
  }
}

async function read(ops: Ops, tensors: readonly Tensor[]): Promise<Float32Array[]> {
  return (await ops.read(tensors)).map((numbers) => Float32Array.from(numbers));
}

/** Runs a case once for its results, then again and again for its time. */
async function timed(backend: Backend, kernelCase: KernelCase) {
  const ops = createOps(backend);
  const made: Tensor[] = [];
  const calls: Call[] = [];
  let dispose: Prepared["dispose"];
  try {
    // Nothing is freed in between: what the kernels work on must be theirs as long as they are run.
    const watch = {
      made: (tensor: Tensor) => void made.push(ops.keep(tensor)),
      wrote: () => {},
      ran: () => {},
      copied: () => {},
    };
    const prepared = ops.device.observed(watch, () => kernelCase.prepare(ops));
    const { reads, compute } = prepared;
    dispose = prepared.dispose;
    const outputs = ops.device.observed({
      ...watch,
      ran: (kernel, tensors, parameters) => {
        const views = Object.entries(tensors).map(([binding, { view }]) => [binding, view] as const);
        calls.push({ kernel, views: Object.fromEntries(views), parameters });
      },
      copied: (source, target) => void calls.push({ source: source.view, target: target.view }),
    }, compute);
    const numbers = await read(ops, outputs);
    const bytes = 4 * [...reads, ...outputs].reduce((sum, { size }) => sum + size, 0);
    return { numbers, bytes, calls, seconds: await secondsOf(ops, calls, outputs[0]) };
  } finally {
    dispose?.();
    for (const tensor of made) tensor.dispose();
  }
}

/** Seconds of one run of the calls, the best of some samples of many runs. */
async function secondsOf(ops: Ops, calls: readonly Call[], output: Tensor): Promise<number> {
  const first = output.alias([1]);
  const timing = async (program: Program, times: number) => {
    const began = performance.now();
    for (let i = 0; i < times; i++) program.run();
    await first.read();
    return (performance.now() - began) / 1000;
  };
  const once = ops.backend.compile(calls);
  const seconds = await timing(once, 1).then(() => timing(once, 1));
  once.dispose();
  // A long one is not put many times into a program: one run of that must not take longer than a sample.
  const most = Math.min(DISPATCHES / calls.length, SAMPLE_SECONDS / seconds);
  const repeats = Math.max(1, Math.floor(most));
  const program = ops.backend.compile(Array.from({ length: repeats }, () => calls).flat());
  try {
    let times = 1, best = await timing(program, times);
    while (best < SAMPLE_SECONDS) best = await timing(program, times *= 2);
    for (let sample = 1; sample < SAMPLES; sample++) best = Math.min(best, await timing(program, times));
    return best / times / repeats;
  } finally {
    first.dispose();
    program.dispose();
  }
}

/** What the kernels state, or an operation for each number that they write. */
function operationsOf(calls: readonly Call[]): number {
  const kernels = calls.filter((call): call is KernelCall => "kernel" in call);
  return kernels.reduce((sum, { kernel, views, parameters }) => {
    const written = Object.keys(kernel.writes).reduce((sum, name) => sum + views[name].length, 0);
    return sum + (kernel.operations?.(parameters) ?? written);
  }, 0);
}

/** NaN if one of the numbers is. */
function differenceOf(own: Float32Array, expected: Float32Array): number {
  let [most, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(own[i] - expected[i]);
    if (!(difference <= most)) most = difference;
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return most / largest;
}

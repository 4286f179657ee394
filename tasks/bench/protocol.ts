/**
 * How an engine is timed, and the one line of JSON its script prints. Every script goes through {@link runEngine},
 * so that all are measured alike; `peers/pytorch.py` repeats the rules.
 *
 * - Each case runs in a fresh process. `first` is from before the network or the operands exist in the engine until the
 *   first result is read: building, tracing, compiling, uploading and computing. Importing the library and finding
 *   the device come before it.
 * - One more step warms up and a third one, timed, chooses how many steps are queued before the engine is waited
 *   for: about {@link sampleSeconds} of work, {@link maxSteps} steps at most. Waiting for a GPU costs 10 ms,
 *   which would otherwise be the whole time of a fast one. As many once more, untimed, are for engines that compile
 *   what is often run while it runs. A sample is the time from the first of these steps until a
 *   number that needs all of them is read, divided by their count.
 */
import { encoders, isEncoderCase } from "./encoders.ts";
import { operations } from "./flops.ts";
import { verify } from "./verify.ts";
import { median } from "../support/median.ts";
import {
  attentionSizes,
  batchSize,
  type Case,
  cases,
  inferenceBatch,
  type Inputs,
  makeInputs,
  matmulSize,
  matrixSize,
  overheadDispatches,
} from "./workload.ts";

const sampleSeconds = 0.3;
const maxSteps = 32;

/** A script's output: one engine, one case. */
export interface Result {
  /** The engine's name, such as "tfjs webgpu". */
  engine: string;
  version: string;
  case: Case;
  /** Rows of the matrix, products or examples in the batch, or dispatches. */
  size: number;
  /** Seconds from nothing to the first result. */
  first: number;
  /** Steady seconds a step, one number a sample. */
  seconds: number[];
  stepsPerSample: number;
  /** From the median of `seconds`. */
  gflops?: number;
  /** What was read: of training, [step, loss]. */
  values: [step: number, value: number][];
  /** Relative reconstruction error of a decomposition. */
  error?: number;
  /** What a reader of the number should know. */
  note?: string;
}

/** A started case. */
export interface Work {
  /** Queues one step; it need not be finished when this returns. */
  step(): void | Promise<void>;
  /** Waits for all queued steps; reads x[0, 0], the loss of the last step, the largest singular value, or the sum. */
  sync(): Promise<number>;
  /** Relative reconstruction error of the last decomposition; not timed. */
  error?(): number | Promise<number>;
  /** A remark on the case, asked for after it was timed. */
  note?(): string | Promise<string>;
}

/** An engine, and how it starts each case that it has. */
export interface Engine {
  name: string;
  version: string;
  note?: string;
  start: { [C in Case]?: (inputs: Inputs[C]) => Work | Promise<Work> };
}

/**
 * Times one case of an engine by the rules above, and checks its results.
 *
 * @param name the case
 * @param repeats how many samples
 * @returns the timings
 * @throws RangeError if the engine does not have the case
 * @throws Error if the engine computed something wrong: its time would mean nothing
 */
export async function measure(engine: Engine, name: Case, repeats: number): Promise<Result> {
  const start = engine.start[name] as ((inputs: Inputs[Case]) => Work | Promise<Work>) | undefined;
  if (!start) {
    throw new RangeError(`Cannot run ${name} on ${engine.name}: it has ${Object.keys(engine.start).join(", ")}`);
  }
  const inputs = makeInputs[name]();
  const values: [number, number][] = [];
  let step = 0, work: Work | undefined;
  const run = async (steps: number) => {
    const began = performance.now();
    work ??= await start(inputs);
    for (let i = 0; i < steps; i++) await work.step();
    const value = await work.sync();
    const seconds = (performance.now() - began) / 1000;
    step += steps;
    values.push([step - 1, value]);
    return seconds / steps;
  };
  const first = await run(1);
  await run(1);
  const stepsPerSample = Math.max(1, Math.min(maxSteps, Math.round(sampleSeconds / await run(1))));
  await run(stepsPerSample);
  const seconds: number[] = [];
  for (let i = 0; i < repeats; i++) seconds.push(await run(stepsPerSample));
  const error = await work?.error?.();
  const count = operations(name);
  const gflops = count && count / median(seconds) / 1e9;
  const size = sizeOf(name);
  const { name: engineName, version } = engine;
  const note = [engine.note, await work?.note?.()].filter(Boolean).join("; ") || undefined;
  const result: Result = {
    engine: engineName,
    version,
    case: name,
    size,
    first,
    seconds,
    stepsPerSample,
    gflops,
    values,
    error,
    note,
  };
  verify(result);
  return result;
}

function sizeOf(name: Case): number {
  if (isEncoderCase(name)) return encoders[name].batch;
  switch (name) {
    case "matmul":
      return matmulSize;
    case "attention":
      return attentionSizes.heads;
    case "resnet8":
      return batchSize;
    case "inference":
      return inferenceBatch;
    case "overhead":
      return overheadDispatches;
    default:
      return matrixSize(name)[0];
  }
}

/**
 * The main function of an engine's script: `SCRIPT CASE … [--repeats=N]`. Prints one line of JSON and ends the
 * process, since worker threads of a library would keep it alive.
 *
 * @param engine the engine, its device found
 */
export async function runEngine(engine: Engine): Promise<never> {
  const name = cases.find((name) => name === Deno.args[0]);
  if (!name) throw new RangeError(`Cannot run the case "${Deno.args[0]}": the cases are ${cases.join(", ")}`);
  const repeats = Number(Deno.args.find((argument) => argument.startsWith("--repeats="))?.split("=")[1] ?? 5);
  console.log(JSON.stringify(await measure(engine, name, repeats)));
  Deno.exit(0);
}

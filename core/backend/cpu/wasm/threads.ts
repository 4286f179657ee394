import { DeviceError, UserError } from "../../../errors.ts";
import type { NativeLibrary, OpenedLibrary } from "../../../native_library.ts";
import { processors, startThread, type Thread } from "../../../thread.ts";
import { type CompiledKernels, compileKernels, instantiate, PAGE } from "./load.ts";
import { splitKernels } from "./split.ts";
import { alone, type Exports, type Team } from "./team.ts";
import type { WasmKernels } from "./wasm_kernels.ts";
import { CONTROL, END, IDLE, serve, type WorkerData } from "./worker.ts";

/** More threads than this gain little, as the work is cut into short pieces and they share the memory's bandwidth. */
const MOST_THREADS = 8;

/** How often a thread looks whether something happened before it goes to sleep: some 20 microseconds. */
const SPINS = 2000;

/**
 * How long a thread may take for its part without any other being done, in milliseconds, before it counts as ended:
 * while this thread waits, nothing tells it. No part takes as long, and a process that was asleep is given it anew.
 */
const PATIENCE = 30_000;

/** Waits of {@link PATIENCE} in vain. */
const WAITS = 10;

/**
 * Whether threads can share memory and be waited for: not on a page without cross-origin isolation, nor on the main
 * thread of one.
 */
function canWait(): boolean {
  try {
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0) === "not-equal";
  } catch {
    return false;
  }
}

/** One thread for each processor, up to 8. */
export function defaultThreads(): number {
  return Math.max(Math.min(processors(), MOST_THREADS), 1);
}

/**
 * Instantiates the kernels on a shared memory, with their work shared out over threads.
 *
 * A call does its own part on this thread and returns when all parts are done. The threads sleep between calls and do
 * not keep the program alive. Where no thread can be started, the kernels run on this thread alone: see `threads`.
 *
 * @param memory from `createMemory`
 * @param threads how many threads, this one included
 * @param library multiplies matrices on each of them in place of the kernels
 * @param compiled from `compileKernels`
 * @throws RangeError if `threads` is not a positive integer
 * @throws UserError if the library cannot be loaded
 *
 * @example
 * ```ts
 * import { Heap } from "../heap.ts";
 * import { createMemory } from "./load.ts";
 *
 * const memory = createMemory(1 << 20);
 * const kernels = await loadThreadedKernels(memory, 4);
 * const heap = new Heap(memory);
 * const [a, b, c] = Array.from({ length: 3 }, () => heap.allocate(512 * 512 * 4));
 * const scratch = heap.allocate(kernels.gemmScratch(512, 512, 512)); // more than for one thread
 * kernels.gemm(512, 512, 512, a, 512, false, b, 512, false, c, 512, false, scratch);
 * await kernels.close();
 * ```
 */
export async function loadThreadedKernels(
  memory: WebAssembly.Memory,
  threads: number = defaultThreads(),
  library: NativeLibrary | null = null,
  compiled: CompiledKernels = compileKernels(),
): Promise<WasmKernels> {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`Cannot start ${threads} threads: the number must be a positive integer`);
  }
  const opened = library && openHere(library, memory);
  const exports = { ...instantiate(compiled, memory), ...opened?.functions };
  const team = threads > 1 ? await startTeam(memory, compiled.module, exports, threads, library) : alone(exports);
  const close = async () => {
    await team.close();
    opened?.close();
  };
  return splitKernels(memory, compiled.relaxed, exports, { ...team, close }, opened?.svd);
}

/** @throws UserError if the library cannot be loaded, as where one that it needs is missing */
function openHere({ path, maker, open }: NativeLibrary, memory: WebAssembly.Memory): OpenedLibrary {
  try {
    return open(path, maker, memory);
  } catch (error) {
    throw new UserError(
      `Cannot load ${maker} from "${path}": ${
        error instanceof Error ? error.message : error
      }; without the permission ` +
        "to load it, matrix products are WebAssembly's",
      { cause: error },
    );
  }
}

/** Starts the other threads; the team of this thread alone if that fails. */
async function startTeam(
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
  exports: Exports,
  threads: number,
  library: NativeLibrary | null,
): Promise<Team> {
  if (!canWait()) return alone(exports);
  const control = new Int32Array(new SharedArrayBuffer(4 * (CONTROL.slots + (threads - 1) * CONTROL.slot)));
  const names = Object.keys(exports);
  const others: Thread[] = [];
  const ended: Promise<void>[] = [];
  let lost = false;
  const close = async () => {
    const ending = others.splice(0);
    for (const thread of ending) thread.hold(true);
    ending.forEach((_, index) => control[CONTROL.slots + index * CONTROL.slot] = END);
    Atomics.add(control, CONTROL.round, 1);
    Atomics.notify(control, CONTROL.round);
    await Promise.all(ended);
  };
  try {
    for (let index = 0; index < threads - 1; index++) {
      const thread = startThread(`(scope) => (${serve})(scope, ${library?.open ?? null})`);
      others.push(thread);
      ended.push(thread.ended);
      const data: WorkerData = {
        ...{ module, memory, control, layout: CONTROL, names, index, spins: SPINS, end: END },
        library: library && { path: library.path, maker: library.maker },
      };
      thread.post(data);
    }
    await Promise.all(others.map(({ ready }) => ready));
  } catch {
    // Those that did start wait for a round that never comes.
    await Promise.all(others.map((thread) => thread.terminate()));
    await Promise.allSettled(others.map(({ ready }) => ready));
    return alone(exports);
  }
  for (const thread of others) {
    thread.hold(false);
    thread.ended.then(() => lost = true);
  }
  const run = (name: string, calls: readonly (readonly number[])[]) => {
    if (others.length === 0) throw new Error(`Cannot run the kernel ${name}: its threads were closed`);
    if (lost) throw threadEnded(name);
    control[CONTROL.pages] = memory.buffer.byteLength / PAGE;
    runRound(control, names, exports, name, calls);
  };
  return { threads, run, close };
}

/** Gives call 0 to this thread and the others to one worker each. */
function runRound(
  control: Int32Array,
  names: string[],
  exports: Exports,
  name: string,
  [own, ...others]: readonly (readonly number[])[],
): void {
  if (others.length > 0) {
    const workers = (control.length - CONTROL.slots) / CONTROL.slot, failed = control[CONTROL.failed];
    for (let index = 0; index < workers; index++) {
      const slot = CONTROL.slots + index * CONTROL.slot, args = others[index] ?? [];
      control[slot] = index < others.length ? names.indexOf(name) : IDLE;
      control[slot + 1] = args.length;
      control.set(args, slot + 2);
    }
    Atomics.store(control, CONTROL.pending, workers);
    Atomics.add(control, CONTROL.round, 1);
    Atomics.notify(control, CONTROL.round);
    let finished = false;
    try {
      exports[name](...own);
    } finally {
      finished = finish(control);
    }
    if (!finished) throw threadEnded(name);
    if (control[CONTROL.failed] !== failed) {
      throw new Error(`Cannot finish the kernel ${name}: a thread failed: ${lastFailure(control)}`);
    }
  } else if (own) {
    exports[name](...own);
  }
}

/** The message of the worker that failed last. */
function lastFailure(control: Int32Array): string {
  const begin = CONTROL.message + 1;
  return String.fromCharCode(...control.subarray(begin, begin + control[CONTROL.message]));
}

/** Returns when no worker has anything left to do; `false` if one does not come to its end. */
function finish(control: Int32Array): boolean {
  for (let i = 0; i < SPINS && Atomics.load(control, CONTROL.pending) > 0; i++);
  let vain = 0;
  for (let left; (left = Atomics.load(control, CONTROL.pending)) > 0;) {
    const outcome = Atomics.wait(control, CONTROL.pending, left, PATIENCE);
    vain = outcome === "timed-out" ? vain + 1 : 0;
    if (vain === WAITS) return false;
  }
  return true;
}

function threadEnded(kernel: string): DeviceError {
  return new DeviceError(
    `Cannot compute ${kernel} as a thread of the cpu backend has ended: the system may lack memory`,
  );
}

import { deferred } from "../../../deferred.ts";
import type { OpenLibrary } from "../../../native_library.ts";
import { serve, type WorkerData } from "./worker.ts";

/** Another thread, which waits for rounds of work. */
export interface Thread {
  /** Resolves once it waits for work; rejects if it does not come to that. */
  readonly ready: Promise<void>;
  /** Resolves once it has ended. */
  readonly ended: Promise<void>;
  /** Tells it what to work on. */
  begin(data: WorkerData): void;
  /** Whether the program goes on as long as it does. */
  hold(isHeld: boolean): void;
  /** Ends it at once, whatever it is doing. */
  terminate(): Promise<void>;
}

/** As much of `node:worker_threads` as is used; Deno, Node.js and Bun have it. */
interface WorkerThreads {
  readonly Worker: new (source: string, options: { readonly eval: true }) => NodeWorker;
}

interface NodeWorker {
  once(event: "message" | "exit", tell: () => void): void;
  once(event: "error", tell: (error: unknown) => void): void;
  postMessage(data: unknown): void;
  terminate(): Promise<unknown>;
  ref(): void;
  unref(): void;
}

/** The program of a thread where `node:worker_threads` starts it. */
const nodeProgram = (open: OpenLibrary | null) =>
  `const { parentPort } = require("node:worker_threads");
(${serve})({
  set onmessage(take) { parentPort.on("message", (data) => take({ data })); },
  postMessage: (message) => parentPort.postMessage(message),
  close: () => typeof Deno === "object" ? globalThis.close() : process.exit(0),
}, ${open});`;

/** The same in a browser, where nobody is told that a worker has closed itself. */
const WEB_PROGRAM = `(${serve})({
  set onmessage(take) { self.onmessage = take; },
  postMessage: (message) => self.postMessage(message),
  close: () => { self.postMessage("ended"); self.close(); },
}, null);`;

/**
 * Whether threads can share memory and be waited for: not on a page without cross-origin isolation, nor on the main
 * thread of one.
 */
export function canWait(): boolean {
  try {
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0) === "not-equal";
  } catch {
    return false;
  }
}

/** A module of Node.js's; asked for at run time, so that a bundle for browsers holds no import of it. */
function nodeModule<Module>(name: string): Module | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return process?.getBuiltinModule?.(name) as Module | undefined;
}

/** How many processors there are for threads. */
export function processors(): number {
  // Node.js has `navigator` from version 21 on.
  const { navigator } = globalThis as { navigator?: Navigator };
  return navigator?.hardwareConcurrency ??
    nodeModule<{ availableParallelism(): number }>("node:os")?.availableParallelism() ?? 1;
}

/**
 * Starts a thread by what the runtime has.
 *
 * @param open opens native libraries there; browsers have none
 * @throws Error if it has none, or a page's policy forbids them
 */
export function startThread(open: OpenLibrary | null): Thread {
  const threads = nodeModule<WorkerThreads>("node:worker_threads");
  return threads ? nodeThread(threads, open) : webThread();
}

const gone = () => new Error("Cannot use a thread that has ended");

function nodeThread({ Worker }: WorkerThreads, open: OpenLibrary | null): Thread {
  const worker = new Worker(nodeProgram(open), { eval: true });
  return {
    ready: new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(gone()));
    }),
    ended: new Promise((resolve) => worker.once("exit", resolve)),
    begin: (data) => worker.postMessage(data),
    hold: (isHeld) => isHeld ? worker.ref() : worker.unref(),
    terminate: async () => void await worker.terminate(),
  };
}

function webThread(): Thread {
  const address = URL.createObjectURL(new Blob([WEB_PROGRAM], { type: "text/javascript" }));
  const worker = new Worker(address);
  const ended = deferred<void>();
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = ({ data }) => data === "ended" ? ended.resolve() : resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(gone());
      ended.resolve();
    };
  }).finally(() => URL.revokeObjectURL(address));
  return {
    ready,
    ended: ended.promise,
    begin: (data) => worker.postMessage(data),
    hold: () => {},
    terminate: () => {
      worker.terminate();
      ended.resolve();
      return Promise.resolve();
    },
  };
}

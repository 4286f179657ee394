import { deferred } from "./deferred.ts";

/** Another thread, which runs a program of its own. */
export interface Thread {
  /** Resolves once it says that it is ready; rejects if it does not come to that. */
  readonly ready: Promise<void>;
  /** Resolves once it has ended. */
  readonly ended: Promise<void>;
  /** Sends it a message, which is copied as `structuredClone` does, but for what is transferred. */
  post(message: unknown, transfer?: Transferable[]): void;
  /** Whether the program goes on as long as it does. */
  hold(isHeld: boolean): void;
  /** Ends it at once, whatever it is doing. */
  terminate(): Promise<void>;
}

/** What a thread's program is given. The first message that it posts says that it is ready. */
export interface ThreadScope<Message> {
  onmessage: ((event: { data: Message }) => void) | null;
  postMessage(message: string): void;
  close(): void;
}

/** As much of `node:worker_threads` as is used; Deno, Node.js and Bun have it. */
interface WorkerThreads {
  readonly Worker: new (source: string, options: { readonly eval: true }) => NodeWorker;
}

interface NodeWorker {
  once(event: "message" | "exit", tell: () => void): void;
  on(event: "error", tell: (error: unknown) => void): void;
  postMessage(data: unknown, transfer?: readonly Transferable[]): void;
  terminate(): Promise<unknown>;
  ref(): void;
  unref(): void;
}

/** A program where `node:worker_threads` starts it. */
const nodeProgram = (program: string) =>
  `const { parentPort } = require("node:worker_threads");
(${program})({
  set onmessage(take) { parentPort.on("message", (data) => take({ data })); },
  postMessage: (message) => parentPort.postMessage(message),
  close: () => typeof Deno === "object" ? globalThis.close() : process.exit(0),
});`;

/** The same in a browser, where nobody is told that a worker has closed itself. */
const webProgram = (program: string) =>
  `(${program})({
  set onmessage(take) { self.onmessage = take; },
  postMessage: (message) => self.postMessage(message),
  close: () => { self.postMessage("ended"); self.close(); },
});`;

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
 * @param program the text of a function that takes a {@link ThreadScope}; the text, so that no second file has to be
 * found at run time, in a bundle or in a compiled program
 * @throws Error if the runtime has no threads, or a page's policy forbids them
 */
export function startThread(program: string): Thread {
  const threads = nodeModule<WorkerThreads>("node:worker_threads");
  return threads ? nodeThread(threads, nodeProgram(program)) : webThread(webProgram(program));
}

const gone = () => new Error("Cannot use a thread that has ended");

function nodeThread({ Worker }: WorkerThreads, source: string): Thread {
  const worker = new Worker(source, { eval: true });
  return {
    ready: new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.on("error", reject);
      worker.once("exit", () => reject(gone()));
    }),
    ended: new Promise((resolve) => worker.once("exit", resolve)),
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold: (isHeld) => isHeld ? worker.ref() : worker.unref(),
    terminate: async () => void await worker.terminate(),
  };
}

function webThread(source: string): Thread {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
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
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    hold: () => {},
    terminate: () => {
      worker.terminate();
      ended.resolve();
      return Promise.resolve();
    },
  };
}

import type { OpenLibrary } from "../../../native_library.ts";
import type { ThreadScope } from "../../../thread.ts";

/** Words of the control block that a pool and its workers share. */
export const CONTROL = {
  /** Counts the rounds of work; a change wakes the workers. */
  round: 0,
  /** How many workers have not finished this round. */
  pending: 1,
  /** How many workers failed since the beginning. */
  failed: 2,
  /** Pages of the memory in this round. */
  pages: 3,
  /** The message of the last failure: its length, and a UTF-16 unit in each word. */
  message: 16,
  /** The most units of it. */
  messageLength: 111,
  /** First word of the first worker's slot: which export to call, how many arguments, and the arguments. */
  slots: 128,
  /** Words of a slot: whole cache lines. */
  slot: 32,
} as const;

/** In place of an export: this worker has nothing to do in this round. */
export const IDLE = -1;

/** In place of an export: the worker is to end. */
export const END = -2;

/** The data with which a worker is started. */
export interface WorkerData {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: Int32Array;
  layout: typeof CONTROL;
  /** The exports by number. */
  names: string[];
  /** Which of the workers this one is. */
  index: number;
  /** How often to look for work before going to sleep. */
  spins: number;
  /** {@link END}. */
  end: number;
  /** A native library to open as well; `null`: none. */
  library: { readonly path: string; readonly maker: string } | null;
}

/**
 * The program of a worker: it waits for a round, makes its call, and waits again, until it is told to end. A thread
 * that ends by itself leaves nothing half done, as one that is terminated from outside may.
 *
 * Its source text is what the worker is started from, so that no second file has to be found at run time, in a bundle
 * or in a compiled program: it must not use anything from outside its own body.
 *
 * @param open opens the library of the data
 */
export function serve(scope: ThreadScope<WorkerData>, open: OpenLibrary | null): void {
  scope.onmessage = ({ data: { module, memory, control, layout, names, index, spins, end, library } }) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const native = open && library ? open(library.path, library.maker, memory) : null;
    const functions = names.map((name) => (native?.functions[name] ?? exports[name]) as (...args: number[]) => void);
    const slot = layout.slots + index * layout.slot;
    let pages = control[layout.pages];
    scope.postMessage("ready");
    // The rounds are counted, not read back: the next one may have begun as soon as `pending` is 0.
    for (let round = 0;; round = (round + 1) | 0) {
      for (let i = 0; i < spins && Atomics.load(control, layout.round) === round; i++);
      // Asked again after each waking: the notice of the round before may come late, when this thread has done its part
      // and gone to sleep already, and a part that is done twice is wrong.
      while (Atomics.load(control, layout.round) === round) Atomics.wait(control, layout.round, round);
      if (control[slot] === end) {
        native?.close();
        return scope.close();
      }
      try {
        // V8 may tell a thread late that another one has grown the memory, and it refuses to fill what is new to it:
        // growing by nothing makes it look (toyobayashi/emnapi#217).
        if (control[layout.pages] !== pages) {
          memory.grow(0);
          pages = control[layout.pages];
        }
        const name = control[slot], args = control.subarray(slot + 2, slot + 2 + control[slot + 1]);
        if (name >= 0) functions[name](...args);
      } catch (error) {
        const units = String(error).slice(0, layout.messageLength).split("").map((unit) => unit.charCodeAt(0));
        control.set([units.length, ...units], layout.message);
        Atomics.add(control, layout.failed, 1);
      }
      if (Atomics.sub(control, layout.pending, 1) === 1) Atomics.notify(control, layout.pending);
    }
  };
}

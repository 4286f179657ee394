import { importOnnxruntime, type Wasm } from "./library.ts";

/** A running onnxruntime that somebody uses. */
export interface HeldRuntime {
  readonly wasm: Wasm;
  /**
   * Says that it is not used any more.
   *
   * @param broken whether it must not be used by anybody else either
   */
  release(broken: boolean): void;
}

interface Running {
  readonly wasm: Promise<Wasm>;
  users: number;
}

/** By the number of threads: to start one takes longer than to run a small model. */
const running = new Map<number, Running>();

/** WebAssembly's memory does not shrink: one that has grown beyond this is not kept for the next model. */
const MOST_KEPT = 2 ** 28;

/** Warnings are for whoever made the model, and what it refuses it says to the caller. */
const FATAL = 4;

/** Starts onnxruntime, or shares one that runs. @throws UserError if it cannot be loaded */
export async function holdRuntime(threads: number): Promise<HeldRuntime> {
  const found = running.get(threads) ?? { wasm: start(threads), users: 0 };
  running.set(threads, found);
  found.users++;
  const drop = () => void (running.get(threads) === found && running.delete(threads));
  let wasm: Wasm;
  try {
    wasm = await found.wasm;
  } catch (error) {
    drop();
    throw error;
  }
  return {
    wasm,
    release(broken) {
      found.users--;
      if (broken || found.users === 0 && wasm.HEAPU8.length > MOST_KEPT) drop();
    },
  };
}

async function start(threads: number): Promise<Wasm> {
  const startWasm = await importOnnxruntime();
  const silent = () => {};
  const wasm = await startWasm({ numThreads: threads, print: silent, printErr: silent });
  if (wasm._OrtInit(threads, FATAL) !== 0) throw new Error("onnxruntime does not start");
  return wasm;
}

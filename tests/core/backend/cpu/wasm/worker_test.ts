import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { CONTROL, END, serve, type WorkerData } from "../../../../../core/backend/cpu/wasm/worker.ts";

/**
 * `(module (import "env" "memory" (memory 1 1 shared))
 *   (func (export "count") (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))))`
 */
const COUNTER = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[2, 16, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 3, 1, 1],
  ...[3, 2, 1, 0],
  ...[7, 9, 1, 5, 0x63, 0x6f, 0x75, 0x6e, 0x74, 0, 0],
  ...[10, 17, 1, 15, 0, 0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0, 0x0b],
);

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

Deno.test("a worker does its part once in each round, however late or often it is woken", async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const count = new Int32Array(memory.buffer);
  const control = new Int32Array(new SharedArrayBuffer(4 * (CONTROL.slots + CONTROL.slot)));
  const worker = new Worker(`(${serve})(globalThis, null)`, { eval: true });
  const ready = new Promise((resolve) => worker.once("message", resolve));
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  const module = new WebAssembly.Module(COUNTER);
  const data: WorkerData = {
    module,
    memory,
    control,
    layout: CONTROL,
    names: ["count"],
    index: 0,
    spins: 10,
    end: END,
    library: null,
  };
  worker.postMessage(data);
  await ready;
  for (let round = 1; round <= 5; round++) {
    control[CONTROL.slots] = 0;
    Atomics.store(control, CONTROL.pending, 1);
    Atomics.add(control, CONTROL.round, 1);
    if (round === 1) Atomics.notify(control, CONTROL.round);
    // The thread that gives the work may be stopped here, by the system, for as long as the part takes and longer.
    while (Atomics.load(control, CONTROL.pending) > 0 && count[0] < round) {
      await sleep(5);
      Atomics.notify(control, CONTROL.round);
    }
    await sleep(20);
    Atomics.notify(control, CONTROL.round);
    await sleep(20);
    assert.equal(count[0], round, `parts done after round ${round}`);
    assert.equal(Atomics.load(control, CONTROL.pending), 0);
  }
  control[CONTROL.slots] = END;
  Atomics.add(control, CONTROL.round, 1);
  Atomics.notify(control, CONTROL.round);
  await ended;
});

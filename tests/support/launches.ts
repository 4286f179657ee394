import type { Backend } from "../../core/backend/backend.ts";
import type { AdapterTraits, Launch } from "../../core/backend/kernel.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";

/** A kernel as it would be dispatched. */
export interface Dispatched {
  readonly kernel: string;
  readonly launch: Launch;
  readonly parameters: Readonly<Record<string, number>>;
}

/** What a computation would dispatch on an adapter: nothing is allocated or computed, so sizes may be real ones. */
export function launchesOn(traits: AdapterTraits, body: (ops: Ops) => void): Dispatched[] {
  const dispatched: Dispatched[] = [];
  const nothing = () => {
    throw new Error("Cannot compute on an adapter that is only described");
  };
  const backend: Backend = {
    name: "webgpu",
    precision: "float32",
    description: "launches alone",
    parallel: true,
    traits,
    mostNumbers: 2 ** 29,
    f16: false,
    exchange: { on: "cpu", numbers: nothing },
    allocate: (length) => ({ length }),
    release: () => {},
    write: () => {},
    copy: () => {},
    run: (kernel, _, parameters) => {
      dispatched.push({ kernel: kernel.name, launch: kernel.launch(parameters, traits), parameters });
    },
    compile: nothing,
    read: nothing,
    memory: () => ({ storages: 0, bytes: 0, peakBytes: 0 }),
    work: () => ({ dispatches: dispatched.length, submits: 0 }),
    close: () => Promise.resolve(),
  };
  body(createOps(backend));
  return dispatched;
}

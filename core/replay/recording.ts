import type { Storage, View } from "../backend/backend.ts";
import type { Call, Program } from "../backend/program.ts";
import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import type { Arena } from "./arena.ts";
import { elideCopies } from "./elide_copies.ts";
import type { Notes, OutputPlace } from "./notes.ts";
import { type MemoryPlan, type Need, planMemory } from "./plan_memory.ts";
import { drawnNumber } from "./same_calls.ts";

/** What a body's calls are, and which memory they need when, wherever it is. */
export class Layout {
  readonly calls: readonly Call[];
  /** Temporaries that are made in memory of others. */
  readonly homes: ReadonlyMap<number, View>;
  /** The temporaries that want a place, in the order of a plan's. */
  readonly numbers: readonly number[];
  readonly #needs: readonly Need[];

  constructor(readonly notes: Notes) {
    const { calls, homes } = elideCopies(notes);
    const needs = needsOf(notes, calls, homes);
    this.calls = calls;
    this.homes = homes;
    this.numbers = needs.map(({ number }) => number);
    this.#needs = needs.map(({ need }) => need);
  }

  /** @param existing lengths of blocks that are there already */
  plan(existing: readonly number[] = []): MemoryPlan {
    return planMemory(this.#needs, existing);
  }
}

/**
 * The calls of a body as a program over an arena's memory. Nothing of it survives a replay but the copies that the
 * replay returns, and what the body wrote to memory of others.
 */
export class Recording {
  readonly #program: Program;
  readonly #inputs: readonly Tensor[];
  readonly #constants: readonly Tensor[];
  readonly #outputs: readonly OutputPlace[];
  /** Parameters that are random numbers, and which. */
  readonly #seeds: readonly { call: number; parameter: string; drawn: number }[];

  /** @param plan the layout's over the arena's blocks, which is extended where they are not enough */
  constructor(
    private readonly device: Device,
    arena: Arena,
    { notes, calls, homes, numbers }: Layout,
    { places, blocks }: MemoryPlan,
  ) {
    arena.extend(blocks);
    const storages = new Map(numbers.map((number, index) => [number, arena.blocks[places[index]]]));
    const constants = [...notes.temporaries.entries()].filter(([, { constant }]) => constant !== null)
      .map(([number, { constant }]) => [number, device.keep(device.tensor(constant!))] as const);
    for (const [number, tensor] of constants) storages.set(number, tensor);
    this.#constants = constants.map(([, tensor]) => tensor);

    const place = ({ storage, offset, ...view }: View): View => {
      const number = notes.numberOf(storage);
      if (number === null) return { storage, offset, ...view };
      const home = homes.get(number);
      if (home) return { storage: home.storage, offset: home.offset + offset, ...view };
      return { storage: storages.get(number)!.view.storage, offset, ...view };
    };
    this.#program = device.backend.compile(
      calls.map((call): Call =>
        "kernel" in call
          ? {
            ...call,
            views: Object.fromEntries(Object.entries(call.views).map(([name, view]) => [name, place(view)])),
          }
          : { source: place(call.source), target: place(call.target) }
      ),
    );
    this.#inputs = notes.temporaries.slice(0, notes.inputCount)
      .map(({ length }, number) => device.keep(storages.get(number)!.alias([length])));
    this.#outputs = notes.outputs.map(({ view, shape }) => ({ view: place(view), shape }));
    this.#seeds = calls.flatMap((call, index) =>
      "kernel" in call
        ? Object.keys(call.parameters).flatMap((parameter) => {
          const drawn = drawnNumber(notes, call, parameter);
          return drawn === null ? [] : [{ call: index, parameter, drawn }];
        })
        : []
    );
  }

  /** Runs the calls on other inputs with other random numbers. @returns copies of the outputs */
  replay(inputs: readonly ArrayLike<number>[], seeds: readonly number[]): Tensor[] {
    const { backend } = this.device;
    inputs.forEach((data, index) => backend.write(this.#inputs[index].view, data));
    for (const { call, parameter, drawn } of this.#seeds) this.#program.set(call, parameter, seeds[drawn]);
    this.#program.run();
    return this.#outputs.map(({ view, shape }) => {
      const copy = this.device.empty(shape);
      backend.copy(view, copy.view);
      return copy;
    });
  }

  dispose(): void {
    this.#program.dispose();
    for (const tensor of [...this.#inputs, ...this.#constants]) tensor.dispose();
  }
}

/** From which call to which each temporary is needed; inputs are there before the first, outputs after the last. */
function needsOf(
  notes: Notes,
  calls: readonly Call[],
  homes: ReadonlyMap<number, View>,
): { number: number; need: Need }[] {
  const { temporaries, outputs, inputCount } = notes;
  const first = temporaries.map((_, number) => number < inputCount ? -1 : calls.length);
  const last = temporaries.map(() => -1);
  const touch = (storage: Storage, time: number) => {
    const number = notes.numberOf(storage);
    if (number === null) return;
    first[number] = Math.min(first[number], time);
    last[number] = Math.max(last[number], time);
  };
  calls.forEach((call, time) => {
    const views = "kernel" in call ? Object.values(call.views) : [call.source, call.target];
    for (const { storage } of views) touch(storage, time);
  });
  for (const { view } of outputs) touch(view.storage, calls.length);
  return temporaries.flatMap(({ length, constant }, number) =>
    constant || homes.has(number) || last[number] < first[number]
      ? []
      : [{ number, need: { length, first: first[number], last: last[number] } }]
  );
}

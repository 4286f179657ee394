import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import { Arena } from "./arena.ts";
import { Notes } from "./notes.ts";
import { Layout, Recording } from "./recording.ts";
import { sameCalls } from "./same_calls.ts";

/** The arguments of a body. */
export interface BodyCall<Condition> {
  /** The inputs on the device. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** A fresh 32-bit number each time; a replay draws as many and gives them to the kernels' seeds. */
  readonly randomSeed: () => number;
  /** A number that changes over time. A replay takes place only while it is what it was. */
  readonly at: (condition: Condition) => number;
}

/** The results of a body by name. */
export type Outputs<Name extends string> = Readonly<Record<Name, readonly Tensor[]>>;

/** Numbers from the host by name. */
type Inputs = Readonly<Record<string, { readonly data: ArrayLike<number>; readonly shape: readonly number[] }>>;

/** Something that is computed again and again from inputs of the same shapes. */
export interface Repeated<Name extends string, Condition> {
  /** Differs for bodies that differ in more than their inputs' shapes. */
  readonly key: string;
  readonly inputs: Inputs;
  readonly randomSeed: () => number;
  readonly at: (condition: Condition) => number;
  /** Computes the outputs. It must not wait, nor keep tensors, nor depend on anything that its call does not give. */
  readonly body: (call: BodyCall<Condition>) => Outputs<Name>;
}

/** The notes on the bodies of one key. */
interface Entry {
  readonly notes: Notes;
  /** Names of the outputs, and how many tensors each has. */
  readonly outputs: readonly (readonly [name: string, count: number])[];
  readonly conditions: ReadonlyMap<unknown, number>;
  /** Whether two runs in a row made the same calls: those may be replayed. */
  readonly repeats: boolean;
  recording: Recording | null;
}

/**
 * Keys that are remembered, for bodies whose inputs have many shapes; the one that was met first is forgotten first.
 */
const MOST_KEYS = 32;

/** How much more an arena may take for several recordings than the largest of them takes alone. */
const MOST_GROWTH = 1.1;

/** A function that is given 0, 1, 2 and so on. */
function counted(of: (index: number) => number): () => number {
  let count = 0;
  return () => of(count++);
}

function discard({ notes, recording }: Entry): void {
  recording?.dispose();
  notes.dispose();
}

const total = (lengths: readonly number[]) => lengths.reduce((sum, length) => sum + length, 0);

/**
 * Runs bodies, and replays those that repeat: when two runs of a key in a row asked the device for the same, the next
 * ones send the noted calls without running the body. Where runs differ, as they do while a scheduled number changes,
 * each is run. All recordings work in one arena, which is given back whenever a body's kernels run as it asks for them,
 * so that replaying never takes more memory than running does.
 *
 * A body keeps all that it made until it ends, while its notes tell when each result is used for the last time. So
 * where programs cost little to make, a run is for the sizes alone, and what is noted is then computed in the arena: a
 * training step gets by with a part of the memory.
 */
export class Recorder {
  readonly #entries = new Map<string, Entry>();
  readonly #arena: Arena;
  /**
   * Whether the last body could be replayed, or its next one can be. Where inputs of ever new shapes come in between,
   * making the recordings' programs again and again would cost more than they save.
   */
  #calm = false;
  /** Whether runs are for the sizes alone; not where a body wanted numbers, or cannot be replayed. */
  #bySizes: boolean;
  #replays = 0;
  #runs = 0;

  /** @param enabled without it every body is run */
  constructor(private readonly device: Device, private readonly enabled: boolean) {
    this.#arena = new Arena(device);
    this.#bySizes = device.backend.traits === undefined;
  }

  /** How many times a body was run, and how many times its recording was replayed instead. */
  get counts(): { readonly runs: number; readonly replays: number } {
    return { runs: this.#runs, replays: this.#replays };
  }

  /** Computes the outputs, which belong to the current scope. */
  run<Name extends string, Condition>(repeated: Repeated<Name, Condition>): Outputs<Name> {
    const shapes = Object.entries(repeated.inputs).map(([name, { shape }]) => `${name}[${shape}]`);
    const key = [repeated.key, ...shapes].join();
    const entry = this.#entries.get(key);
    const known = entry !== undefined && entry.repeats &&
      [...entry.conditions].every(([asked, value]) => Object.is(repeated.at(asked as Condition), value));
    if (known && this.#calm) return this.#replay(entry, repeated);
    this.#runs++;
    return this.enabled ? this.#watch(key, entry ?? null, repeated) : this.#compute(repeated);
  }

  /** Gives the recordings' memory back until the next replay, which costs that one some milliseconds. */
  rest(): void {
    for (const entry of this.#entries.values()) {
      entry.recording?.dispose();
      entry.recording = null;
    }
    this.#arena.dispose();
  }

  dispose(): void {
    this.rest();
    this.#entries.forEach(discard);
    this.#entries.clear();
  }

  #remember(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    if (this.#entries.size <= MOST_KEYS) return;
    const [oldest, forgotten] = this.#entries.entries().next().value!;
    discard(forgotten);
    this.#entries.delete(oldest);
  }

  #replay<Name extends string, Condition>(entry: Entry, { inputs, randomSeed }: Repeated<Name, Condition>) {
    this.#replays++;
    return this.#send<Name>(entry, inputs, entry.notes.seeds.map(() => randomSeed()));
  }

  /** Computes what is noted, with other inputs and random numbers. */
  #send<Name extends string>(entry: Entry, inputs: Inputs, seeds: readonly number[]): Outputs<Name> {
    const recording = entry.recording ??= this.#record(entry.notes);
    const results = recording.replay(Object.values(inputs).map(({ data }) => data), seeds);
    return Object.fromEntries(
      entry.outputs.map(([name, count]) => [name, results.splice(0, count)]),
    ) as unknown as Outputs<Name>;
  }

  /** A recording in the arena, which is made anew where most of what it has would lie idle. */
  #record(notes: Notes): Recording {
    const layout = new Layout(notes);
    let plan = layout.plan(this.#arena.lengths);
    const [held, grown] = [this.#arena.lengths, plan.blocks].map(total);
    if (grown > held) {
      const alone = layout.plan();
      if (grown > MOST_GROWTH * Math.max(held, total(alone.blocks))) {
        this.rest();
        plan = alone;
      }
    }
    return new Recording(this.device, this.#arena, layout, plan);
  }

  /** Runs the body and notes what it asks for. */
  #watch<Name extends string, Condition>(key: string, before: Entry | null, repeated: Repeated<Name, Condition>) {
    this.#entries.delete(key);
    this.#calm = false;
    const remember = (entry: Entry) => {
      this.#calm = entry.repeats;
      this.#remember(key, entry);
    };
    // A second run must draw the numbers of the first.
    const seeds: number[] = [];
    const draw = (index: number) => seeds[index] ??= repeated.randomSeed();
    try {
      const noted = this.#bySizes ? this.#sizes({ ...repeated, randomSeed: counted(draw) }, before) : null;
      if (noted) {
        remember(noted);
        return this.#send<Name>(noted, repeated.inputs, noted.notes.seeds);
      }
      this.#bySizes = false;
      this.rest();
      const { results, entry } = this.#note({ ...repeated, randomSeed: counted(draw) }, before);
      if (entry) remember(entry);
      return results;
    } finally {
      if (before) discard(before);
    }
  }

  /** The notes of a run for the sizes alone; `null` where the body cannot be computed by them. */
  #sizes<Name extends string, Condition>(
    repeated: Repeated<Name, Condition>,
    before: Entry | null,
  ): Entry | null {
    const noted: Entry[] = [];
    try {
      this.device.sizesOnly(() => {
        const { entry } = this.#note(repeated, before);
        if (entry) noted.push(entry);
      });
    } catch {
      // It wanted numbers. If it is broken, the other run tells.
      noted.splice(0).forEach(discard);
    }
    return noted[0] ?? null;
  }

  /** Runs the body. The entry is `null` where its notes are not all there is to know. */
  #note<Name extends string, Condition>(
    repeated: Repeated<Name, Condition>,
    before: Entry | null,
  ): { readonly results: Outputs<Name>; readonly entry: Entry | null } {
    const { backend } = this.device;
    const { dispatches } = backend.work();
    const conditions = new Map<unknown, number>();
    const at = (condition: Condition) => {
      const value = repeated.at(condition);
      conditions.set(condition, value);
      return value;
    };
    let notes: Notes | undefined;
    let entry: Entry | null = null;
    try {
      const results = this.#compute({ ...repeated, at }, (inputs) => notes = new Notes(inputs));
      const tensors = Object.entries<readonly Tensor[]>(results);
      if (notes!.finish(tensors.flatMap(([, list]) => list), backend.work().dispatches - dispatches)) {
        const outputs = tensors.map(([name, { length }]) => [name, length] as const);
        const repeats = before !== null && sameCalls(before.notes, notes!);
        entry = { notes: notes!, outputs, conditions, repeats, recording: null };
      }
      return { results, entry };
    } finally {
      if (!entry) notes?.dispose();
    }
  }

  #compute<Name extends string, Condition>(
    { inputs, randomSeed, at, body }: Repeated<Name, Condition>,
    observe?: (inputs: readonly Tensor[]) => Notes,
  ): Outputs<Name> {
    return this.device.scope(() => {
      const uploaded = Object.fromEntries(
        Object.entries(inputs).map(([name, { data, shape }]) => [name, this.device.tensor(data, shape)]),
      );
      if (!observe) return body({ inputs: uploaded, randomSeed, at });
      const notes = observe(Object.values(uploaded));
      const noted = () => {
        const seed = randomSeed();
        notes.seeds.push(seed);
        return seed;
      };
      return this.device.observed(notes, () => body({ inputs: uploaded, randomSeed: noted, at }));
    });
  }
}

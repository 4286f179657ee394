import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import { Arena } from "./arena.ts";
import { Notes } from "./notes.ts";
import { Recording } from "./recording.ts";
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

/** Something that is computed again and again from inputs of the same shapes. */
export interface Repeated<Name extends string, Condition> {
  /** Differs for bodies that differ in more than their inputs' shapes. */
  readonly key: string;
  readonly inputs: Readonly<Record<string, { readonly data: ArrayLike<number>; readonly shape: readonly number[] }>>;
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

/**
 * Runs bodies, and replays those that repeat: when two runs of a key in a row asked the device for the same, the next
 * ones send the noted calls without running the body. Where runs differ, as they do while a scheduled number changes,
 * each is run. All recordings work in one arena, which is given back whenever a body is run, so that replaying never
 * takes more memory than running does.
 */
export class Recorder {
  readonly #entries = new Map<string, Entry>();
  readonly #arena: Arena;
  /**
   * Whether the last body could be replayed, or its next one can be. Where inputs of ever new shapes come in between,
   * making the recordings' programs again and again would cost more than they save.
   */
  #calm = false;
  #replays = 0;
  #runs = 0;

  /** @param enabled without it every body is run */
  constructor(private readonly device: Device, private readonly enabled: boolean) {
    this.#arena = new Arena(device);
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
    this.rest();
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
    for (const { notes } of this.#entries.values()) notes.dispose();
    this.#entries.clear();
  }

  #remember(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    if (this.#entries.size <= MOST_KEYS) return;
    const [oldest, { notes }] = this.#entries.entries().next().value!;
    notes.dispose();
    this.#entries.delete(oldest);
  }

  #replay<Name extends string, Condition>(entry: Entry, { inputs, randomSeed }: Repeated<Name, Condition>) {
    this.#replays++;
    const data = Object.values(inputs).map(({ data }) => data);
    const { notes, outputs } = entry;
    entry.recording ??= new Recording(this.device, this.#arena, notes);
    const results = entry.recording.replay(data, notes.seeds.map(() => randomSeed()));
    return Object.fromEntries(
      outputs.map(([name, count]) => [name, results.splice(0, count)]),
    ) as unknown as Outputs<Name>;
  }

  /** Runs the body and notes what it asks for. */
  #watch<Name extends string, Condition>(key: string, before: Entry | null, repeated: Repeated<Name, Condition>) {
    const { backend } = this.device;
    const { dispatches } = backend.work();
    const conditions = new Map<unknown, number>();
    const at = (condition: Condition) => {
      const value = repeated.at(condition);
      conditions.set(condition, value);
      return value;
    };
    let notes: Notes | undefined;
    this.#entries.delete(key);
    this.#calm = false;
    try {
      const results = this.#compute({ ...repeated, at }, (inputs) => notes = new Notes(inputs));
      const tensors = Object.entries<readonly Tensor[]>(results);
      const made = tensors.flatMap(([, list]) => list);
      if (notes!.finish(made, backend.work().dispatches - dispatches)) {
        const outputs = tensors.map(([name, { length }]) => [name, length] as const);
        const repeats = before !== null && sameCalls(before.notes, notes!);
        this.#calm = repeats;
        this.#remember(key, { notes: notes!, outputs, conditions, repeats, recording: null });
        notes = undefined;
      }
      return results;
    } finally {
      before?.notes.dispose();
      notes?.dispose();
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

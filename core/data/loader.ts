import { groupBy } from "../group_by.ts";
import { Random } from "./random.ts";

/** How a {@link BatchLoader} orders and cuts its examples. */
export interface BatchLoaderOptions {
  /** Examples per batch, 1 or more. */
  readonly batchSize: number;
  /** Shuffles every epoch in an order of its own that follows from this seed; without it the order is as given. */
  readonly shuffleSeed?: number;
  /**
   * How long each example is, by its index: batches are then made of examples of about equal length, so that little is
   * padded. Which of them stand together, and the order of the batches, still changes with each epoch.
   */
  readonly lengths?: ArrayLike<number>;
  /**
   * The class of each example, by its index, -1 for none: in every epoch each class then comes equally often, to within
   * one, its examples in turn and as often as that takes; those without a class come once. Needs `shuffleSeed`.
   */
  readonly balance?: ArrayLike<number>;
  /** Leaves out the last batch of an epoch where it is smaller than the others. Default: false. */
  readonly dropLast?: boolean;
}

/** A batch and where it stands in the training. */
export interface Batch {
  /** Counted from 0. */
  readonly epoch: number;
  /** Counted from 0 in each epoch. */
  readonly batch: number;
  /** The indices of the batch's examples. */
  readonly indices: Uint32Array;
}

/**
 * Cuts a data set into batches of indices. The loader has no position of its own: any batch of any epoch follows from
 * the options, so that a resumed run needs to know only the epoch and the batch at which it stopped.
 *
 * @example
 * ```ts
 * const loader = new BatchLoader(8000, { batchSize: 128, shuffleSeed: 1 });
 * for (const { indices } of loader.epoch(0)) {
 *   console.log(indices); // of the examples of one batch
 * }
 * ```
 */
export class BatchLoader {
  /** Batches in every epoch. */
  readonly batchesPerEpoch: number;
  readonly #examples: Uint32Array;
  readonly #options: BatchLoaderOptions;
  #order: { epoch: number; indices: Uint32Array } | undefined;

  /**
   * @param examples the indices of the examples, or how many there are to use all from 0
   * @param options how to order and cut them
   * @throws RangeError if the batch size is not a whole number from 1, or there is not one batch
   */
  constructor(examples: number | Uint32Array, options: BatchLoaderOptions) {
    const { batchSize, dropLast = false } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`Cannot make batches of ${batchSize}: a whole number from 1 up is needed`);
    }
    this.#examples = typeof examples === "number" ? firstIndices(examples) : examples.slice();
    this.#options = options;
    const batches = this.#examples.length / batchSize;
    this.batchesPerEpoch = dropLast ? Math.floor(batches) : Math.ceil(batches);
    if (this.batchesPerEpoch === 0) {
      const size = dropLast ? `whole batches of ${batchSize}` : "batches";
      throw new RangeError(`Cannot make ${size} from ${this.#examples.length} examples: there are too few for one`);
    }
  }

  /**
   * The batches of one epoch.
   *
   * @param epoch counted from 0
   * @param firstBatch where to begin: 0, or where an interrupted epoch goes on
   */
  *epoch(epoch: number, firstBatch = 0): Generator<Batch, void, void> {
    for (let batch = firstBatch; batch < this.batchesPerEpoch; batch++) {
      yield { epoch, batch, indices: this.indices(epoch, batch) };
    }
  }

  /**
   * The indices of one batch, in a new array.
   *
   * @param epoch counted from 0
   * @param batch counted from 0 up to but not {@link batchesPerEpoch}
   * @throws RangeError if there is no such batch
   */
  indices(epoch: number, batch: number): Uint32Array {
    if (!Number.isSafeInteger(batch) || batch < 0 || batch >= this.batchesPerEpoch) {
      throw new RangeError(`Cannot give batch ${batch}: an epoch has the batches 0 to ${this.batchesPerEpoch - 1}`);
    }
    const { batchSize } = this.#options;
    return this.#orderOf(epoch).slice(batch * batchSize, (batch + 1) * batchSize);
  }

  #orderOf(epoch: number): Uint32Array {
    const { shuffleSeed } = this.#options;
    if (shuffleSeed === undefined) return this.#examples;
    if (this.#order?.epoch !== epoch) {
      const random = new Random(shuffleSeed).split("shuffle").split(epoch);
      const { lengths, batchSize, balance } = this.#options;
      const shuffled = random.shuffle(balance ? balanced(this.#examples, balance, random) : this.#examples.slice());
      this.#order = { epoch, indices: lengths ? bucket(shuffled, lengths, batchSize, random) : shuffled };
    }
    return this.#order.indices;
  }
}

/**
 * As many examples, of which each class has the same number: a small class's come several times, a large one's in part.
 */
function balanced(examples: Uint32Array, classes: ArrayLike<number>, random: Random): Uint32Array {
  const groups = groupBy(examples, (example) => classes[example]);
  const drawn = [...groups.get(-1) ?? []];
  const own = [...groups].filter(([label]) => label >= 0).sort(([a], [b]) => a - b).map(([, members]) => members);
  const total = examples.length - drawn.length;
  // What rounding leaves goes to other classes in each epoch.
  const turns = random.shuffle(firstIndices(own.length));
  own.forEach((members, place) => {
    const share = Math.floor(total / own.length) + (turns[place] < total % own.length ? 1 : 0);
    for (let taken = 0; taken < share; taken += members.length) {
      for (const example of random.shuffle(Uint32Array.from(members)).subarray(0, share - taken)) drawn.push(example);
    }
  });
  return Uint32Array.from(drawn);
}

/** Batches whose examples are sorted by length together: few enough that an epoch has many such windows. */
const WINDOW = 32;

/** Sorts windows of a shuffled order by length, and shuffles the whole batches that come of it. */
function bucket(order: Uint32Array, lengths: ArrayLike<number>, batchSize: number, random: Random): Uint32Array {
  const sorted = order.slice();
  const whole = Math.floor(sorted.length / batchSize);
  // The rest, which may be dropped, stays as it was drawn: the longest would always be dropped otherwise.
  const end = whole * batchSize;
  for (let begin = 0; begin < end; begin += WINDOW * batchSize) {
    const window = sorted.slice(begin, Math.min(begin + WINDOW * batchSize, end));
    // Equal lengths stay as they were drawn: many texts are cut to one length, and a data set may be in order of
    // classes.
    sorted.set(Array.from(window).sort((a, b) => lengths[a] - lengths[b]), begin);
  }
  const places = random.split("batches").shuffle(firstIndices(whole));
  const result = sorted.slice();
  places.forEach((from, to) => {
    result.set(sorted.subarray(from * batchSize, (from + 1) * batchSize), to * batchSize);
  });
  return result;
}

/**
 * The indices 0, 1, ... up to but not `count`.
 *
 * @throws RangeError if the count is not a whole number from 0 up
 */
export function firstIndices(count: number): Uint32Array<ArrayBuffer> {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`Cannot take ${count} examples: a whole number from 0 up is needed`);
  }
  return Uint32Array.from({ length: count }, (_, index) => index);
}

/** Some indices of a list, all if there are no more, spread over it: it may be in the order of its classes. */
export function spreadIndices(length: number, most: number): Uint32Array<ArrayBuffer> {
  const count = Math.min(length, most);
  return firstIndices(count).map((index) => Math.floor(index * length / count));
}

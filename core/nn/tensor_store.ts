import { VIEW_ALIGNMENT } from "../backend/backend.ts";
import { DeviceError, TensorTooLarge, UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";
import { mostPerStorage, type NamedShape, rangesByName, type RowRange, rowRanges } from "./row_ranges.ts";

/** A stretch of a storage whose numbers have the learning rate in common. */
export interface RateSegment {
  /** Its aligned beginning. */
  readonly offset: number;
  /** How many numbers it has. */
  readonly size: number;
  /** The learning rate of all of them, as a multiple of the others'. */
  readonly rateScale: number;
}

/** One of a store's storages. */
export interface StorePart {
  /** Everything in it, `[size]`. */
  readonly flat: Tensor;
  /** The whole of it, divided by learning rate. */
  readonly segments: readonly RateSegment[];
}

/** Where a tensor of a store is. */
export interface Place {
  /** The number of the storage. */
  readonly part: number;
  /** Where it begins there. */
  readonly offset: number;
}

/**
 * Named tensors side by side in one storage, those of equal learning rate together. Each begins at an aligned place;
 * the gaps stay zero. What is too much for one storage goes into several, each tensor whole; only a table that is asked
 * for by rows is divided, if it is too large by itself.
 */
export class TensorStore {
  /** The storages: one unless the tensors are many, none without tensors. */
  readonly parts: readonly StorePart[];
  /** What the storages hold, in the order of `specs`: every tensor, or its ranges of rows if it is divided. */
  readonly ranges: readonly RowRange[];
  /** The tensors of `ranges` by name; they are places in the storages. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Of each tensor, in the order of `ranges`. */
  protected readonly places: readonly Place[];
  readonly #rangesOf: ReadonlyMap<string, readonly RowRange[]>;

  /**
   * Makes room for the tensors, filled with zeros.
   *
   * @param most the most numbers in one storage; a larger tensor has one for itself
   * @throws UserError naming the tensor if the backend has no room for it
   */
  constructor(
    protected readonly ops: Ops,
    /** Names and shapes of the tensors. */
    readonly specs: readonly NamedShape[],
    most: number = mostPerStorage(ops.backend),
  ) {
    this.ranges = specs.flatMap((spec) => rowRanges(spec, most));
    this.#rangesOf = rangesByName(this.ranges);
    const { places, layouts } = layOut(this.ranges, most);
    this.places = places;
    this.parts = layouts.map(({ segments, size }, part) => ({ flat: this.room(part, size), segments }));
    this.tensors = this.views(this.parts.map(({ flat }) => flat));
  }

  /** Numbers of all tensors, gaps left out. */
  get count(): number {
    return this.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /** One tensor. @throws RangeError if there is none of that name, or it is divided */
  get(name: string): Tensor {
    const [tensor, ...others] = this.rows(name);
    if (others.length > 0) {
      throw new RangeError(`Cannot give "${name}" as one tensor: its rows are in ${1 + others.length}`);
    }
    return tensor;
  }

  /** The tensors that have the rows of one: itself unless it is divided. @throws RangeError if there is no such one */
  rows(name: string): readonly Tensor[] {
    const ranges = this.#rangesOf.get(name);
    if (!ranges) throw new RangeError(`Cannot find the parameter "${name}"`);
    return ranges.map(({ name }) => this.tensors.get(name)!);
  }

  /** Sets one tensor. @throws RangeError if the length differs */
  set(name: string, data: ArrayLike<number>): void {
    const tensors = this.rows(name);
    const spec = this.specs.find((spec) => spec.name === name)!;
    if (data.length !== sizeOf(spec.shape)) {
      throw new RangeError(`Cannot set "${name}" of shape ${showShape(spec.shape)} to ${data.length} numbers`);
    }
    const ranges = this.#rangesOf.get(name)!;
    tensors.forEach((tensor, index) => {
      const { begin } = ranges[index];
      this.ops.backend.write(tensor.view, tensors.length === 1 ? data : part(data, begin, begin + tensor.size));
    });
  }

  /** Reads every tensor back. */
  async read(): Promise<Map<string, Float32Array>> {
    const numbers = await this.ops.read(this.ranges.map(({ name }) => this.tensors.get(name)!));
    const read = new Map(this.specs.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]));
    this.ranges.forEach(({ whole, begin }, index) => read.get(whole)!.set(numbers[index], begin));
    return read;
  }

  /** Frees the storages. */
  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    for (const { flat } of this.parts) flat.dispose();
  }

  /** A storage for a part, filled with zeros. @throws UserError naming what a backend has no room for */
  protected room(part: number, size: number): Tensor {
    try {
      return this.ops.keep(this.ops.full([size], 0));
    } catch (error) {
      const tooLarge = error instanceof TensorTooLarge;
      if (!(tooLarge || error instanceof RangeError || error instanceof DeviceError)) throw error;
      const [{ name, shape }, ...rest] = this.ranges.filter((_, index) => this.places[index].part === part);
      const others = rest.length > 0 ? ` and ${rest.length} more` : "";
      const reason = tooLarge ? `${error.sizes}; a smaller model, or --backend cpu` : error.message;
      throw new UserError(`Cannot hold the parameter ${name} ${showShape(shape)}${others}: ${reason}`, {
        cause: error,
      });
    }
  }

  /** The tensors' places in storages laid out like this store's, by name. */
  protected views(storages: readonly Tensor[]): Map<string, Tensor> {
    return new Map(this.ranges.map(({ name, shape }, index) => {
      const { part, offset } = this.places[index];
      return [name, storages[part].alias(shape, offset)];
    }));
  }
}

/** The name of a thing that each part of a store has: the plain name for the first part, then with its number. */
export function partName(name: string, part: number): string {
  return part === 0 ? name : `${name}.${part + 1}`;
}

/** A store's tensors by their names in a checkpoint. */
export function namedParts(name: string, { parts }: TensorStore): [name: string, flat: Tensor][] {
  return parts.map(({ flat }, part) => [partName(name, part), flat]);
}

interface Layout {
  size: number;
  readonly segments: { offset: number; size: number; rateScale: number }[];
}

/** Some of the numbers, without a copy where they lie in memory. */
function part(data: ArrayLike<number>, begin: number, end: number): ArrayLike<number> {
  return data instanceof Float32Array || data instanceof Float64Array
    ? data.subarray(begin, end)
    : Array.prototype.slice.call(data, begin, end);
}

/** A place for each tensor, in the order of `specs`; tensors of equal learning rate are next to each other. */
function layOut(specs: readonly NamedShape[], most: number) {
  const places = new Array<Place>(specs.length);
  const layouts: Layout[] = [];
  for (const rateScale of new Set(specs.map(({ rateScale = 1 }) => rateScale))) {
    for (const [index, { shape, rateScale: own = 1 }] of specs.entries()) {
      if (own !== rateScale) continue;
      const size = Math.ceil(sizeOf(shape) / VIEW_ALIGNMENT) * VIEW_ALIGNMENT;
      if (layouts.length === 0 || layouts.at(-1)!.size + size > most) layouts.push({ size: 0, segments: [] });
      const layout = layouts.at(-1)!;
      places[index] = { part: layouts.length - 1, offset: layout.size };
      if (layout.segments.at(-1)?.rateScale !== rateScale) {
        layout.segments.push({ offset: layout.size, size: 0, rateScale });
      }
      layout.segments.at(-1)!.size += size;
      layout.size += size;
    }
  }
  return { places, layouts };
}

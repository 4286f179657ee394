import { MOST_NUMBERS, VIEW_ALIGNMENT } from "../backend/backend.ts";
import { DeviceError, TensorTooLarge, UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";

/** A named shape. */
export interface NamedShape {
  /** What it is called. */
  readonly name: string;
  /** Of any number of dimensions. */
  readonly shape: readonly number[];
  /** Its learning rate as a multiple of the others'; 1 if it is left out. */
  readonly rateScale?: number;
}

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
 * the gaps stay zero. What is too much for one storage goes into several, each tensor whole.
 */
export class TensorStore {
  /** The storages: one unless the tensors are many, none without tensors. */
  readonly parts: readonly StorePart[];
  /** The tensors by name; they are places in the storages. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Of each tensor, in the order of `specs`. */
  protected readonly places: readonly Place[];

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
    most: number = MOST_NUMBERS,
  ) {
    const { places, layouts } = layOut(specs, most);
    this.places = places;
    this.parts = layouts.map(({ segments, size }, part) => ({ flat: this.room(part, size), segments }));
    this.tensors = this.views(this.parts.map(({ flat }) => flat));
  }

  /** Numbers of all tensors, gaps left out. */
  get count(): number {
    return this.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /** One tensor. @throws RangeError if there is none of that name */
  get(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new RangeError(`Cannot find the parameter "${name}"`);
    return tensor;
  }

  /** Sets one tensor. @throws RangeError if the length differs */
  set(name: string, data: ArrayLike<number>): void {
    const tensor = this.get(name);
    if (data.length !== tensor.size) {
      throw new RangeError(`Cannot set "${name}" of shape ${showShape(tensor.shape)} to ${data.length} numbers`);
    }
    this.ops.backend.write(tensor.view, data);
  }

  /** Reads every tensor back. */
  async read(): Promise<Map<string, Float32Array>> {
    const names = this.specs.map(({ name }) => name);
    const numbers = await this.ops.read(names.map((name) => this.get(name)));
    return new Map(names.map((name, index) => [name, Float32Array.from(numbers[index])]));
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
      const [{ name, shape }, ...rest] = this.specs.filter((_, index) => this.places[index].part === part);
      const others = rest.length > 0 ? ` and ${rest.length} more` : "";
      const reason = tooLarge ? `${error.sizes}; a smaller model, or --backend cpu` : error.message;
      throw new UserError(`Cannot hold the parameter ${name} ${showShape(shape)}${others}: ${reason}`, {
        cause: error,
      });
    }
  }

  /** The tensors' places in storages laid out like this store's, by name. */
  protected views(storages: readonly Tensor[]): Map<string, Tensor> {
    return new Map(this.specs.map(({ name, shape }, index) => {
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

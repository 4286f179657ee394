import { VIEW_ALIGNMENT } from "../backend/backend.ts";
import { DeviceError, UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";

/** A named shape. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its learning rate as a multiple of the others'; 1 if it is left out. */
  readonly rateScale?: number;
}

/** A stretch of a storage whose numbers have the learning rate in common. */
export interface RateSegment {
  /** Where it begins, aligned. */
  readonly offset: number;
  readonly size: number;
  readonly rateScale: number;
}

/** One of a store's storages. */
export interface StorePart {
  /** Everything in it, `[size]`. */
  readonly flat: Tensor;
  /** Gradients in the same layout. */
  readonly gradient: Tensor;
  /** The whole of it, divided by learning rate. */
  readonly segments: readonly RateSegment[];
}

/**
 * The most numbers in one storage: 128 MiB of float32, which every WebGPU adapter can bind. It is the same on all backends, so
 * that one can continue what another began.
 */
export const MOST_NUMBERS = 2 ** 25;

/**
 * Named tensors side by side in one storage, with a second storage of the same layout for their gradients, so that an
 * optimiser updates all of them in one kernel: one for each learning rate, as tensors of equal rate lie together. Each
 * begins at an aligned place; the gaps stay zero. What is too much for one storage goes into several, each tensor whole.
 */
export class ParameterStore {
  /** The storages: one unless the parameters are many, none without parameters. */
  readonly parts: readonly StorePart[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #gradients: ReadonlyMap<string, Tensor>;

  /**
   * @param most the most numbers in one storage; a larger tensor has one for itself
   * @throws UserError naming the parameter if the backend has no room for it
   */
  constructor(private readonly ops: Ops, readonly specs: readonly NamedShape[], most = MOST_NUMBERS) {
    const { places, layouts } = layOut(specs, most);
    const whole = (part: number, size: number) => {
      const own = specs.filter((_, index) => places[index].part === part);
      return ops.keep(roomFor(own, () => ops.full([size], 0)));
    };
    this.parts = layouts.map(({ segments, size }, part) => ({
      flat: whole(part, size),
      gradient: whole(part, size),
      segments,
    }));
    const views = (kind: "flat" | "gradient") =>
      new Map(specs.map(({ name, shape }, index) => {
        const { part, offset } = places[index];
        return [name, this.parts[part][kind].alias(shape, offset)];
      }));
    this.tensors = views("flat");
    this.#gradients = views("gradient");
  }

  /** Numbers of all tensors, gaps left out. */
  get count(): number {
    return this.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

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

  /** Takes a step's gradients, in the order of `specs`; `null` counts as zero. */
  gather(gradients: readonly (Tensor | null)[]): void {
    gradients.forEach((gradient, index) => this.takeGradient(index, gradient));
  }

  /** Takes the gradient of one of `specs`; `null` counts as zero. */
  takeGradient(index: number, gradient: Tensor | null): void {
    const target = this.#gradients.get(this.specs[index].name)!;
    this.ops.device.copy(gradient ?? this.ops.full(target.shape, 0), target);
  }

  /** Reads every tensor back. */
  async read(): Promise<Map<string, Float32Array>> {
    const names = this.specs.map(({ name }) => name);
    const numbers = await this.ops.read(names.map((name) => this.get(name)));
    return new Map(names.map((name, index) => [name, Float32Array.from(numbers[index])]));
  }

  dispose(): void {
    for (const tensors of [this.tensors, this.#gradients]) for (const tensor of tensors.values()) tensor.dispose();
    for (const { flat, gradient } of this.parts) for (const tensor of [flat, gradient]) tensor.dispose();
  }
}

/** The name of something that each part of a store has: as for an undivided store, from the second part on with its number. */
export function partName(name: string, part: number): string {
  return part === 0 ? name : `${name}.${part + 1}`;
}

/** What a store consists of, by the name that it has in a checkpoint. */
export function namedParts(name: string, { parts }: ParameterStore): [name: string, flat: Tensor][] {
  return parts.map(({ flat }, part) => [partName(name, part), flat]);
}

interface Layout {
  size: number;
  readonly segments: { offset: number; size: number; rateScale: number }[];
}

/** A place for each tensor, in the order of `specs`; tensors of equal learning rate are next to each other. */
function layOut(specs: readonly NamedShape[], most: number) {
  const places = new Array<{ part: number; offset: number }>(specs.length);
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

/** Says which parameter it is that a backend has no room for. */
function roomFor(own: readonly NamedShape[], allocate: () => Tensor): Tensor {
  try {
    return allocate();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof DeviceError)) throw error;
    const [{ name, shape }] = own;
    const others = own.length > 1 ? ` and ${own.length - 1} more` : "";
    throw new UserError(`Cannot hold the parameter ${name} ${showShape(shape)}${others}: ${error.message}`, {
      cause: error,
    });
  }
}

import { VIEW_ALIGNMENT } from "../backend/backend.ts";
import type { Ops } from "../ops/ops.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";

/** A named shape. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its learning rate as a multiple of the others'; 1 if it is left out. */
  readonly rateScale?: number;
}

/** A stretch of a store whose numbers have the learning rate in common. */
export interface RateSegment {
  /** Where it begins, aligned. */
  readonly offset: number;
  readonly size: number;
  readonly rateScale: number;
}

/**
 * Named tensors side by side in one storage, with a second storage of the same layout for their gradients, so that an
 * optimiser updates all of them in one kernel: one for each learning rate, as tensors of equal rate lie together. Each
 * begins at an aligned place; the gaps stay zero.
 */
export class ParameterStore {
  /** Everything, `[size]`. */
  readonly flat: Tensor;
  /** Gradients in the same layout. */
  readonly gradient: Tensor;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The whole, divided by learning rate. */
  readonly segments: readonly RateSegment[];
  readonly #gradients: ReadonlyMap<string, Tensor>;

  constructor(private readonly ops: Ops, readonly specs: readonly NamedShape[]) {
    const { offsets, segments, size } = layOut(specs);
    this.segments = segments;
    this.flat = ops.keep(ops.full([Math.max(size, 1)], 0));
    this.gradient = ops.keep(ops.full([Math.max(size, 1)], 0));
    const views = (flat: Tensor) => new Map(specs.map(({ name, shape }, i) => [name, flat.alias(shape, offsets[i])]));
    this.tensors = views(this.flat);
    this.#gradients = views(this.gradient);
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

  /** Gathers a step's gradients, in the order of `specs`; `null` counts as zero. */
  gather(gradients: readonly (Tensor | null)[]): void {
    this.specs.forEach(({ name }, index) => {
      const target = this.#gradients.get(name)!;
      this.ops.device.copy(gradients[index] ?? this.ops.full(target.shape, 0), target);
    });
  }

  /** Reads every tensor back. */
  async read(): Promise<Map<string, Float32Array>> {
    const names = this.specs.map(({ name }) => name);
    const numbers = await this.ops.read(names.map((name) => this.get(name)));
    return new Map(names.map((name, index) => [name, Float32Array.from(numbers[index])]));
  }

  dispose(): void {
    for (const tensors of [this.tensors, this.#gradients]) for (const tensor of tensors.values()) tensor.dispose();
    this.flat.dispose();
    this.gradient.dispose();
  }
}

/** A place for each tensor, in the order of `specs`; tensors of equal learning rate are next to each other. */
function layOut(specs: readonly NamedShape[]) {
  const offsets = new Array<number>(specs.length);
  const segments: RateSegment[] = [];
  let size = 0;
  for (const rateScale of new Set(specs.map(({ rateScale = 1 }) => rateScale))) {
    const offset = size;
    for (const [index, { shape, rateScale: own = 1 }] of specs.entries()) {
      if (own !== rateScale) continue;
      offsets[index] = size;
      size += Math.ceil(sizeOf(shape) / VIEW_ALIGNMENT) * VIEW_ALIGNMENT;
    }
    segments.push({ offset, size: size - offset, rateScale });
  }
  return { offsets, segments, size };
}

import { VIEW_ALIGNMENT } from "../backend/backend.ts";
import type { Ops } from "../ops/ops.ts";
import { showShape, sizeOf, type Tensor } from "../tensor.ts";

/** A named shape. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * Named tensors side by side in one storage, with a second storage of the same layout for their gradients, so that an
 * optimiser updates all of them in one kernel. Each begins at an aligned place; the gaps stay zero.
 */
export class ParameterStore {
  /** Everything, `[size]`. */
  readonly flat: Tensor;
  /** Gradients in the same layout. */
  readonly gradient: Tensor;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #gradients: ReadonlyMap<string, Tensor>;

  constructor(private readonly ops: Ops, readonly specs: readonly NamedShape[]) {
    const offsets: number[] = [];
    let size = 0;
    for (const { shape } of specs) {
      offsets.push(size);
      size += Math.ceil(sizeOf(shape) / VIEW_ALIGNMENT) * VIEW_ALIGNMENT;
    }
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

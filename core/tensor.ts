import { expectArguments } from "./arguments.ts";
import type { Backend, Floats, Storage, View } from "./backend/backend.ts";
import { type NumberFormat, slotsOf } from "./backend/format.ts";
import { TensorTooLarge } from "./errors.ts";

/** The number of elements of a shape; 1 for a scalar's empty shape. */
export function sizeOf(shape: readonly number[]): number {
  // Called for every tensor: the check of a shape itself is left to what allocates.
  if (typeof shape?.reduce !== "function") expectArguments("sizeOf", { shape: [shape, "a list of numbers"] });
  return shape.reduce((product, extent) => product * extent, 1);
}

/** `[2, 3]` for messages. */
export function showShape(shape: readonly number[]): string {
  expectArguments("showShape", { shape: [shape, "a list"] });
  return `[${shape.join(", ")}]`;
}

/** Counts the tensors that share a storage, and gives it back when the last one is gone. */
class SharedStorage {
  owners = 0;
  constructor(readonly backend: Backend, readonly storage: Storage) {}

  drop(): void {
    if (--this.owners === 0) this.backend.release(this.storage);
  }
}

/**
 * A dense, contiguous, row-major array of floats on a backend. Tensors are values: no operation changes one, save the
 * optimiser's update of parameters and the running statistics of batch norm, which say so.
 *
 * Who frees it: the scope in which it was made (see `Ops.scope`), or `dispose` for a tensor made outside any.
 */
export class Tensor {
  /** The number of elements. */
  readonly size: number;
  #disposed = false;

  private constructor(
    readonly backend: Backend,
    readonly shape: readonly number[],
    private readonly shared: SharedStorage,
    private readonly offset: number,
    /** How the numbers lie in memory; see {@link Device.storeActivations}. */
    readonly format: NumberFormat,
  ) {
    this.size = sizeOf(shape);
    shared.owners++;
  }

  /**
   * A tensor with memory of its own, contents undefined.
   *
   * @param format how the numbers lie in memory: float16 where the backend has it
   * @throws RangeError for an extent that is no whole number
   * @throws TensorTooLarge if the backend has no such large ones
   */
  static allocate(backend: Backend, shape: readonly number[], format: NumberFormat = "f32"): Tensor {
    // A size that is not a number would make an allocator hand out the same memory twice.
    if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
      throw new RangeError(`Cannot make a tensor of ${showShape(shape)}: extents must be whole numbers from 0`);
    }
    if (format === "f16" && !backend.f16) throw new Error("Cannot make a tensor of float16 on a backend without");
    const size = slotsOf(sizeOf(shape), format);
    if (size > backend.mostNumbers) throw new TensorTooLarge(backend, shape);
    return new Tensor(backend, shape, new SharedStorage(backend, backend.allocate(size)), 0, format);
  }

  /** A tensor on the memory of this one: another shape, or a part that starts at `offset`. */
  alias(shape: readonly number[], offset = 0): Tensor {
    this.#assertLive();
    if (offset + sizeOf(shape) > this.size) {
      throw new RangeError(`Cannot view ${showShape(shape)} at ${offset} in a tensor of ${showShape(this.shape)}`);
    }
    return new Tensor(this.backend, shape, this.shared, this.offset + offset, this.format);
  }

  /** Where the elements lie. @throws Error if the tensor was freed */
  get view(): View {
    this.#assertLive();
    return { storage: this.shared.storage, offset: this.offset, length: this.size, format: this.format };
  }

  /** Whether it was freed. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** The numbers, read back from the device. Reads that can share one wait should use `Ops.read`. */
  async read(): Promise<Floats> {
    return (await this.backend.read([this.view]))[0];
  }

  /** Frees it; a second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.shared.drop();
  }

  #assertLive(): void {
    if (this.#disposed) {
      throw new Error(`Cannot use a tensor of shape ${showShape(this.shape)} after it was freed: its scope has ended`);
    }
  }
}

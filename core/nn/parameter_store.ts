import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { NamedShape } from "./row_ranges.ts";
import { type StorePart, TensorStore } from "./tensor_store.ts";

/** One of the storages of a store of trained tensors. */
export interface TrainedPart extends StorePart {
  /** Gradients in the same layout. */
  readonly gradient: Tensor;
}

/**
 * A store of tensors that are trained, with a second storage of the same layout for their gradients, so that an
 * optimiser updates all of them in one kernel: one for each learning rate.
 */
export class ParameterStore extends TensorStore {
  /** The storages, each with its gradients. */
  declare readonly parts: readonly TrainedPart[];
  readonly #gradients: ReadonlyMap<string, Tensor>;

  /**
   * Makes room for the tensors and their gradients, filled with zeros.
   *
   * @param most the most numbers in one storage; a larger tensor has one for itself
   * @throws UserError naming the parameter if the backend has no room for it
   */
  constructor(ops: Ops, specs: readonly NamedShape[], most?: number) {
    super(ops, specs, most);
    this.parts = this.parts.map((part, index) => ({ ...part, gradient: this.room(index, part.flat.size) }));
    this.#gradients = this.views(this.parts.map(({ gradient }) => gradient));
  }

  /** The gradients of `ranges` by name, as they were taken last. */
  get gradients(): ReadonlyMap<string, Tensor> {
    return this.#gradients;
  }

  /** Takes a step's gradients, in the order of `ranges`; `null` counts as zero. */
  gather(gradients: readonly (Tensor | null)[]): void {
    gradients.forEach((gradient, index) => this.takeGradient(index, gradient));
  }

  /** Takes the gradient of one of `ranges`; `null` counts as zero. */
  takeGradient(index: number, gradient: Tensor | null): void {
    const target = this.#gradients.get(this.ranges[index].name)!;
    this.ops.device.copy(gradient ?? this.ops.full(target.shape, 0), target);
  }

  /** Adds to the gradient of one of `ranges`, as where a step is computed in several batches. */
  addGradient(index: number, gradient: Tensor): void {
    const target = this.#gradients.get(this.ranges[index].name)!;
    this.ops.device.copy(this.ops.constant(() => this.ops.add(target, gradient)), target);
  }

  /** Frees the storages and the gradients. */
  override dispose(): void {
    super.dispose();
    for (const tensor of this.#gradients.values()) tensor.dispose();
    for (const { gradient } of this.parts) gradient.dispose();
  }
}

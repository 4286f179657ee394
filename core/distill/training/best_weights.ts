import { namedParts } from "../../nn/tensor_store.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import type { Student } from "../student/student.ts";

/** A second copy of the student's weights: those of the best epoch, if a recipe restores them. */
export class BestWeights {
  /** The copies, by the name they have in a checkpoint. */
  readonly tensors = new Map<string, Tensor>();
  readonly #originals = new Map<string, Tensor>();

  constructor(private readonly ops: Ops, student: Student, active: boolean) {
    if (!active) return;
    for (const [name, store] of Object.entries(student.stores())) {
      for (const [part, flat] of namedParts(`best.${name}`, store)) {
        this.#originals.set(part, flat);
        this.tensors.set(part, ops.keep(ops.full(flat.shape, 0)));
      }
    }
  }

  /** The student's weights of now are the best. */
  take(): void {
    for (const [name, copy] of this.tensors) this.ops.device.copy(this.#originals.get(name)!, copy);
  }

  /** Gives the best weights back to the student. @returns whether there is a copy at all */
  restore(): boolean {
    for (const [name, copy] of this.tensors) this.ops.device.copy(copy, this.#originals.get(name)!);
    return this.tensors.size > 0;
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
  }
}

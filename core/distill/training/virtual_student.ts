import { createOptimiser } from "../../nn/optimisers.ts";
import { ParameterStore } from "../../nn/parameter_store.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Tensor } from "../../tensor.ts";
import type { Student } from "../student/student.ts";
import { type ParameterGroups, updateGroups } from "./parameter_group.ts";

/** A student one step ahead: copies of its trained tensors, which take steps that it does not take itself. */
export class VirtualStudent {
  /** The copies, with gradients of their own. */
  readonly stores: readonly ParameterStore[];
  readonly #names: readonly (keyof Student["trained"])[];
  /** Optimisers that move the copies along the student's gradients. */
  #groups: ParameterGroups = {};

  constructor(
    private readonly ops: Ops,
    { trained }: Student,
    private readonly optimiser: Recipe["train"]["optimiser"],
  ) {
    this.#names = (["plain", "cores"] as const).filter((name) => trained[name].specs.length > 0);
    this.stores = this.#names.map((name) => new ParameterStore(ops, trained[name].specs));
  }

  /** The copies by the names that the tensors have in the student's stores. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return new Map(this.stores.flatMap(({ tensors }) => [...tensors]));
  }

  /** Their gradients, by the same names. */
  get gradients(): ReadonlyMap<string, Tensor> {
    return new Map(this.stores.flatMap(({ gradients }) => [...gradients]));
  }

  /**
   * Puts the copies one step of the student's optimisers ahead of it, along the gradients in its stores. These and the
   * optimisers stay as they are.
   *
   * @param groups the student's
   */
  stepFrom(groups: ParameterGroups, settings: Parameters<typeof updateGroups>[1]): void {
    if (Object.keys(this.#groups).length === 0) this.#groups = this.#copied(groups);
    const { device } = this.ops;
    for (const [name, { store, optimiser }] of Object.entries(this.#groups)) {
      const own = groups[name];
      store.parts.forEach(({ flat }, part) => device.copy(own.store.parts[part].flat, flat));
      for (const [key, tensor] of optimiser.state) device.copy(own.optimiser.state.get(key)!, tensor);
    }
    updateGroups(this.#groups, settings);
  }

  dispose(): void {
    for (const { optimiser } of Object.values(this.#groups)) optimiser.dispose();
    for (const store of this.stores) store.dispose();
  }

  #copied(groups: ParameterGroups): ParameterGroups {
    return Object.fromEntries(this.#names.map((name, index) => {
      const [own, store] = [groups[name], this.stores[index]];
      const parts = store.parts.map((part, place) => ({ ...part, gradient: own.store.parts[place].gradient }));
      return [name, { ...own, store, optimiser: createOptimiser(this.ops, { parts }, this.optimiser) }];
    }));
  }
}

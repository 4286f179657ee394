import { expectArguments } from "../arguments.ts";
import type { Tensor } from "../tensor.ts";

/** Named tensors, wherever they come from: stored as they are, or rebuilt from chains of cores. */
export interface Weights {
  /**
   * The tensor of a name, in the shape that the model's list of parameters gives it.
   *
   * @throws RangeError if there is none of that name
   */
  get(name: string): Tensor;
  /** The cores of an over-parameterised weight, or `null` for one that is stored as it is. */
  cores(name: string): readonly Tensor[] | null;
}

/**
 * Weights from a map.
 *
 * @example
 * ```ts
 * import { createOps, openBackend, weightsFrom } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const weights = weightsFrom(new Map([["fc.bias", ops.full([10], 0)]]));
 * weights.get("fc.bias").shape; // [10]
 * await backend.close();
 * ```
 */
export function weightsFrom(
  tensors: ReadonlyMap<string, Tensor>,
  cores?: ReadonlyMap<string, readonly Tensor[]>,
): Weights {
  expectArguments("weightsFrom", { tensors: [tensors, "a Map"] });
  return {
    get(name) {
      const tensor = tensors.get(name);
      if (!tensor) {
        throw new RangeError(`Cannot find the weight "${name}": there are ${[...tensors.keys()].join(", ")}`);
      }
      return tensor;
    },
    cores: (name) => cores?.get(name) ?? null,
  };
}

import { expectArguments } from "../arguments.ts";
import type { Tensor } from "../tensor.ts";
import { rangesByName, type RowRange } from "./row_ranges.ts";

/** Named tensors, wherever they come from: stored as they are, or rebuilt from chains of cores and their like. */
export interface Weights {
  /**
   * The tensor of a name, in the shape that the model's list of parameters gives it.
   *
   * @throws RangeError if there is none of that name, or it is divided
   */
  get(name: string): Tensor;
  /**
   * The tensors that have the rows of one, one after another: itself, unless it is a table (`byRows` in the model's
   * list of parameters) that is too large to be one tensor. `ops.embedding` takes them as they are.
   *
   * @throws RangeError if there is none of that name
   */
  rows(name: string): readonly Tensor[];
  /** The cores of a weight that is a chain, or `null` for any other. */
  cores(name: string): readonly Tensor[] | null;
}

/**
 * Weights from a map.
 *
 * @param tensors by name, those of a divided table by the names of its ranges of rows
 * @param cores of the weights that are chains
 * @param ranges of tables that are divided
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
  ranges: readonly RowRange[] = [],
): Weights {
  expectArguments("weightsFrom", { tensors: [tensors, "a Map"] });
  const divided = rangesByName(ranges.filter(({ name, whole }) => name !== whole));
  const held = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor) {
      throw new RangeError(`Cannot find the weight "${name}": there are ${[...tensors.keys()].join(", ")}`);
    }
    return tensor;
  };
  return {
    get(name) {
      const parts = divided.get(name);
      if (!parts) return held(name);
      throw new RangeError(`Cannot give the weight "${name}" as one tensor: its rows are in ${parts.length}`);
    },
    rows: (name) => (divided.get(name) ?? [{ name }]).map(({ name }) => held(name)),
    cores: (name) => cores?.get(name) ?? null,
  };
}

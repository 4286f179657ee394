import { MOST_RUNS } from "../kernels/broadcast_walk.ts";
import { type Arrangement, orderTo, type Pairing, type PairQuestion } from "./arrangement.ts";
import type { Index } from "./notation.ts";

/**
 * An elementwise product, where there is nothing for a matrix product to do: neither operand has an index of its own
 * (an inner product, which is summed afterwards), or one has none and no index is summed (a scaling).
 *
 * @returns null where a matrix product is right, or the dimensions alternate too often for the kernel
 */
export function elementwisePairing({ a, b, keep, extents }: PairQuestion): Pairing | null {
  const aHoldsAll = b.every((index) => a.includes(index));
  const bHoldsAll = a.every((index) => b.includes(index));
  const all = aHoldsAll ? a : b;
  const summed = [...all.keys()].filter((axis) => !keep.has(all[axis]));
  const scaling = (aHoldsAll || bHoldsAll) && summed.length === 0;
  if (!scaling && !(aHoldsAll && bHoldsAll)) return null;

  const inBoth = all.map((index) => a.includes(index) && b.includes(index));
  const runs = inBoth.filter((both, axis) => axis === 0 || both !== inBoth[axis - 1]).length;
  if (runs > MOST_RUNS) return null;

  const spread = (indices: readonly Index[]): Arrangement => ({
    order: orderTo(indices, all.filter((index) => indices.includes(index))),
    shape: all.map((index) => indices.includes(index) ? extents.get(index)! : 1),
  });
  return {
    method: { name: "multiply", first: spread(a), second: spread(b), sumAxes: summed },
    swapped: false,
    result: all.filter((index) => keep.has(index)),
  };
}

import { sizeOfIndices } from "./network.ts";
import type { Index } from "./notation.ts";

/** An operand as a step wants it: its dimensions permuted, if `order` is given, then reshaped. */
export interface Arrangement {
  /** Axis k of the permuted operand is axis `order[k]` of the given one; `null` leaves them in place. */
  readonly order: readonly number[] | null;
  /** The shape after the permutation. */
  readonly shape: readonly number[];
}

/** How two operands become one: a batched matrix product, or an elementwise product with a sum over some dimensions. */
export type PairMethod =
  | {
    readonly name: "matmul";
    readonly first: Arrangement;
    readonly second: Arrangement;
    readonly transposeFirst: boolean;
    readonly transposeSecond: boolean;
  }
  | {
    readonly name: "multiply";
    readonly first: Arrangement;
    readonly second: Arrangement;
    readonly sumAxes: readonly number[];
  };

/** A way to contract two operands. */
export interface Pairing {
  readonly method: PairMethod;
  /** Whether the second of the given operands is the first of the product. */
  readonly swapped: boolean;
  /** The indices of the result, in the order in which they come out. */
  readonly result: readonly Index[];
}

/** Two operands, and what their product keeps. */
export interface PairQuestion {
  readonly a: readonly Index[];
  readonly b: readonly Index[];
  /** The indices of the result. */
  readonly keep: ReadonlySet<Index>;
  /** The order in which they should come out, if it matters. */
  readonly wanted: readonly Index[] | null;
  readonly extents: ReadonlyMap<Index, number>;
}

/** Where each of the `wanted` indices stands in `indices`; null if nothing moves. */
export function orderTo(indices: readonly Index[], wanted: readonly Index[]): number[] | null {
  const order = wanted.map((index) => indices.indexOf(index));
  return order.every((axis, place) => axis === place) ? null : order;
}

/** Numbers that a permutation copies. */
export function numbersMoved(
  indices: readonly Index[],
  order: readonly number[] | null,
  extents: ReadonlyMap<Index, number>,
): number {
  return order ? sizeOfIndices(indices, extents) : 0;
}

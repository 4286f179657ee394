import { multiplyByTransposed, transpose } from "../linalg/matrix.ts";
import type { Arithmetic, LinearAlgebra } from "./linear_algebra.ts";
import { type Factors, legSizes } from "./shapes.ts";
import type { Cut } from "./truncate.ts";

/**
 * A left-canonical chain: all cores but the last, as matrices `[d_{k-1} i_k j_k, d_k]`, have orthonormal columns. So
 * has the product of the cores left of a bond, whose columns each have their entry of largest size positive.
 */
export interface Sweep {
  readonly bonds: readonly number[];
  readonly cores: readonly Float64Array[];
  /** The singular values that were kept at bonds 1 .. n-1. */
  readonly singularValues: readonly Float64Array[];
  /** What was cut at bonds 1 .. n-1 (epsilon_k in Theorem 1). */
  readonly discarded: readonly number[];
  /** In what the bond's singular values were computed: that of the least precise SVD so far. */
  readonly arithmetic: readonly Arithmetic[];
}

/**
 * The sweep of Algorithm S.2 of OPDF: from left to right, an SVD of what remains splits off one core.
 *
 * What remains after a core has orthogonal rows; so a core with legs of extent 1 splits off the identity, without an
 * SVD. A chain `[a, 1, .., 1, b]` takes one, and the identities between its ends are one array.
 *
 * Signs are those of the left singular vectors of the whole matrix, divided at the bond: what a core's own SVD chooses
 * hangs on the signs at the bond before it, so that one sign that noise turns would turn others all along the chain,
 * and chains of two matrices would be compared with columns turned against each other.
 *
 * @param interleaved the matrix in the order `[i_1, j_1, .. i_n, j_n]`
 * @param cut decides how many of the singular values of bond k, counted from 1, stay
 */
export async function leftSweep(
  interleaved: Float64Array,
  factors: Factors,
  cut: (singularValues: Float64Array, bond: number) => Cut,
  { svd }: LinearAlgebra,
): Promise<Sweep> {
  const legs = legSizes(factors);
  const bonds = [1];
  const cores: Float64Array[] = [];
  const singularValues: Float64Array[] = [];
  const discarded: number[] = [];
  const arithmetic: Arithmetic[] = [];
  let rest = interleaved;
  let left: Float64Array | null = null; // [i_1 j_1 .. i_k j_k, d_k]: the product of the cores so far
  for (let core = 0; core < legs.length - 1; core++) {
    const bond = bonds[core];
    if (core > 0 && legs[core] === 1) {
      cores.push(legs[core - 1] === 1 && core > 1 ? cores[core - 1] : identity(bond));
      bonds.push(bond);
      singularValues.push(singularValues[core - 1]);
      discarded.push(0);
      arithmetic.push(arithmetic[core - 1]);
      continue;
    }
    const rows = bond * legs[core], cols = rest.length / rows;
    const parts = await svd(rest, rows, cols);
    const { rank, discarded: lost } = cut(parts.singularValues, core + 1);
    const own = firstColumns(parts.u, rows, rank);
    rest = rank === parts.singularValues.length ? parts.remainder : parts.remainder.slice(0, rank * cols);
    if (left) {
      const width = legs[core] * rank;
      left = multiplyByTransposed(left, transpose(own, bond, width), left.length / bond, width, bond);
      turnNegativeColumns(left, own, rest, rank);
    } else {
      left = own; // whose signs its SVD has fixed
    }
    cores.push(own);
    bonds.push(rank);
    singularValues.push(parts.singularValues.slice(0, rank));
    discarded.push(lost);
    const before = arithmetic.at(-1);
    arithmetic.push(before && before.epsilon > parts.arithmetic.epsilon ? before : parts.arithmetic);
  }
  return { bonds: [...bonds, 1], cores: [...cores, rest], singularValues, discarded, arithmetic };
}

/** How many bonds {@link leftSweep} cuts: the first, and those after a core whose legs are not both 1. */
export function countCuts(factors: Factors): number {
  return legSizes(factors).slice(0, -1).filter((leg, core) => core === 0 || leg > 1).length;
}

/**
 * Turns each column of `left` whose entry of largest size (the first of equals) is negative, and with it the column of
 * `core` that made it and the row of `rest` that it is multiplied with: all of them in place, the product is the same.
 */
function turnNegativeColumns(left: Float64Array, core: Float64Array, rest: Float64Array, columns: number): void {
  const largest = left.slice(0, columns);
  left.forEach((value, place) => {
    const column = place % columns;
    if (Math.abs(value) > Math.abs(largest[column])) largest[column] = value;
  });
  const cols = rest.length / columns;
  largest.forEach((value, column) => {
    if (value >= 0) return;
    for (const part of [left, core]) for (let k = column; k < part.length; k += columns) part[k] = -part[k];
    for (let k = column * cols; k < (column + 1) * cols; k++) rest[k] = -rest[k];
  });
}

function identity(size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let k = 0; k < size; k++) result[k * (size + 1)] = 1;
  return result;
}

/** The first `count` columns of a row-major matrix. */
function firstColumns(a: Float64Array, rows: number, count: number): Float64Array {
  const cols = a.length / rows;
  if (count === cols) return a;
  const result = new Float64Array(rows * count);
  for (let i = 0; i < rows; i++) result.set(a.subarray(i * cols, i * cols + count), i * count);
  return result;
}

import { legSizes } from "./chain.ts";
import type { Arithmetic, LinearAlgebra } from "./linear_algebra.ts";
import type { Factors } from "./shapes.ts";
import type { Cut } from "./truncate.ts";

/** A left-canonical chain: all cores but the last, as matrices `[d_{k-1} i_k j_k, d_k]`, have orthonormal columns. */
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
    cores.push(firstColumns(parts.u, rows, rank));
    bonds.push(rank);
    singularValues.push(parts.singularValues.slice(0, rank));
    discarded.push(lost);
    const before = arithmetic.at(-1);
    arithmetic.push(before && before.epsilon > parts.arithmetic.epsilon ? before : parts.arithmetic);
    rest = rank === parts.singularValues.length ? parts.remainder : parts.remainder.slice(0, rank * cols);
  }
  return { bonds: [...bonds, 1], cores: [...cores, rest], singularValues, discarded, arithmetic };
}

/** How many bonds {@link leftSweep} cuts: the first, and those after a core whose legs are not both 1. */
export function countCuts(factors: Factors): number {
  return legSizes(factors).slice(0, -1).filter((leg, core) => core === 0 || leg > 1).length;
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

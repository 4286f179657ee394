import { leftSvd } from "../../../core/linalg/svd.ts";
import type { Chain } from "../../../core/mpo/chain.ts";
import { productOfCores } from "../../../core/mpo/merge_chain.ts";
import { legSizes } from "../../../core/mpo/shapes.ts";
import { gen } from "../../golden/golden.ts";
import { type Matrix, random } from "../linalg/matrices.ts";

/** The matrix of golden.json's chains: `gen((12, 12), seed) + 0.3 I`. */
export function goldenMatrix(seed: number): Float64Array {
  return gen([12, 12], seed).map((value, place) => place % 13 === 0 ? value + 0.3 : value);
}

/** P and S of METHODS 1.2 at an inner bond, counted from 1: the products of the cores left and right of it. */
export function partialProducts({ cores, bonds }: Chain, bond: number): { left: Matrix; right: Matrix } {
  const left = productOfCores(cores.slice(0, bond), bonds);
  const right = productOfCores(cores.slice(bond), bonds.slice(bond));
  const width = bonds[bond];
  return {
    left: { values: left, rows: left.length / width, columns: width },
    right: { values: right, rows: width, columns: right.length / width },
  };
}

/** The inner bonds of a chain. */
export function innerBonds({ rows }: Chain): number[] {
  return Array.from({ length: rows.length - 1 }, (_, index) => index + 1);
}

/** The matrix that the bond divides, as P S: rows are what lies left of it. */
export function unfolding(interleaved: Float64Array, chain: Chain, bond: number): Matrix {
  const rows = legSizes(chain).slice(0, bond).reduce((size, leg) => size * leg, 1);
  return { values: interleaved, rows, columns: interleaved.length / rows };
}

/** Factors for tests: all the awkward forms, on small matrices. */
export const FACTORS: readonly { readonly rows: readonly number[]; readonly cols: readonly number[] }[] = [
  { rows: [4, 1, 1, 3], cols: [4, 1, 1, 3] },
  { rows: [4, 3], cols: [2, 5] },
  { rows: [3, 4], cols: [5, 2] },
  { rows: [5, 1, 7], cols: [3, 1, 2] },
  { rows: [2, 3, 2], cols: [3, 2, 2] },
  { rows: [4, 4, 2, 1, 2], cols: [2, 3, 1, 2, 3] },
  { rows: [2, 1, 3, 1, 2, 1], cols: [1, 1, 2, 1, 3, 2] },
  { rows: [1, 6, 1], cols: [1, 5, 1] },
  { rows: [1, 1, 6], cols: [1, 7, 1] },
  { rows: [6, 1], cols: [1, 7] },
  { rows: [1, 7], cols: [6, 1] },
  { rows: [1, 1, 1], cols: [1, 1, 1] },
  { rows: [12], cols: [9] },
  { rows: [1, 2, 2, 2, 2, 1, 3], cols: [2, 2, 1, 1, 2, 2, 3] },
];

export const sizeOfFactors = (factors: readonly number[]) => factors.reduce((size, factor) => size * factor, 1);

/** A random matrix that the factors split. */
export function randomFor({ rows, cols }: typeof FACTORS[number], seed: number): Matrix {
  return random(sizeOfFactors(rows), sizeOfFactors(cols), seed);
}

/**
 * Algorithm S.2 as it is written: an SVD for each core, those with legs of extent 1 too. Each core, as a matrix, has
 * its own signs: the entry of largest size of each column is positive.
 */
export function fullSweep(interleaved: Float64Array, { rows, cols }: typeof FACTORS[number]) {
  const cores: Float64Array[] = [], singularValues: Float64Array[] = [], bonds = [1];
  let rest = interleaved;
  for (let k = 0; k < rows.length - 1; k++) {
    const height = bonds[k] * rows[k] * cols[k];
    const svd = leftSvd(rest, height, rest.length / height);
    cores.push(svd.u);
    singularValues.push(svd.singularValues);
    rest = svd.remainder;
    bonds.push(svd.singularValues.length);
  }
  return { cores: [...cores, rest], bonds: [...bonds, 1], singularValues };
}

/** The same chain with its signs by the columns left of each bond: the entry of largest size of each is positive. */
export function pointedByLeftParts(given: readonly Float64Array[], bonds: readonly number[]): Float64Array[] {
  const cores = given.map((core) => core.slice());
  for (let bond = 1; bond < cores.length; bond++) {
    const width = bonds[bond], left = productOfCores(cores.slice(0, bond), bonds);
    for (let col = 0; col < width; col++) {
      const column = left.filter((_, place) => place % width === col);
      if (Math.max(...column) >= -Math.min(...column)) continue;
      const before = cores[bond - 1], after = cores[bond], length = after.length / width;
      for (let place = col; place < before.length; place += width) before[place] *= -1;
      for (let place = col * length; place < (col + 1) * length; place++) after[place] *= -1;
    }
  }
  return cores;
}

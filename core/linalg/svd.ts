import { applyQ, factorise, triangle } from "./householder.ts";
import { checkMatrix, multiplyByTransposed, transpose } from "./matrix.ts";
import { thinQ } from "./qr.ts";
import { orthogonaliseRows } from "./row_jacobi.ts";
import { multiplyByPowerOfTwo, scaleToUnit } from "./scaling.ts";
import { norm, scale, TINY_SQUARE } from "./vector.ts";

/** A thin singular value decomposition that keeps `remainder = S V^T` instead of V; r is the smaller of m and n. */
export interface LeftSvd {
  /** `[m, r]`, orthonormal columns, also those of zero singular values. */
  readonly u: Float64Array;
  /** `[r]`, descending. */
  readonly singularValues: Float64Array;
  /** `[r, n]`, `U^T A`: orthogonal rows, as long as the singular values. */
  readonly remainder: Float64Array;
  /** Passes of the Jacobi iteration over all pairs. */
  readonly sweeps: number;
}

/**
 * Thin SVD of a matrix, as `A = U (U^T A)`. The remainder is computed as that product: it carries the rounding of one
 * product and no division by singular values, as V would, so that U times it gives A to machine precision whatever the
 * rank. Signs are fixed: the entry of largest size (the first of equals) of each column of U is positive.
 *
 * Method: QR with column pivoting brings A to a triangle, whose rows one-sided Jacobi makes orthogonal without having
 * to collect its rotations (Drmac and Veselic 2008, "New fast and accurate Jacobi SVD algorithm"). Multiplying A by a
 * power of two changes nothing but the exponents.
 *
 * @param a row-major `[m, n]`; left as it is
 * @throws RangeError if the sizes do not fit, or a number is not finite
 *
 * @example
 * ```ts
 * const { u, singularValues, remainder } = leftSvd(Float64Array.of(0, 2, -1, 0), 2, 2);
 * // u = [1, 0, 0, 1], singularValues = [2, 1], remainder = [0, 2, -1, 0]
 * ```
 */
export function leftSvd(a: Float64Array, m: number, n: number): LeftSvd {
  checkMatrix("decompose", a, m, n);
  const r = Math.min(m, n);
  const { values, exponent } = scaleToUnit("decompose", a, n);
  const columns = transpose(values, m, n); // [n, m]
  const { vectors, singularValues, sweeps } = m < n ? wide(values.slice(), m, n) : tall(columns.slice(), m, n);
  fixSigns(vectors, r, m);
  const remainder = multiplyByTransposed(vectors, columns, r, n, m); // [r, n]
  multiplyByPowerOfTwo(singularValues, exponent);
  multiplyByPowerOfTwo(remainder, exponent);
  return { u: transpose(vectors, r, m), singularValues, remainder, sweeps };
}

/** Singular vectors one after another, descending by singular value. */
interface Vectors {
  readonly vectors: Float64Array;
  readonly singularValues: Float64Array;
  readonly sweeps: number;
}

/** `A P = Q R` and `R^T = Q_2 R_2`: U is Q times the right singular vectors of `R_2`. */
function tall(columns: Float64Array, m: number, n: number): Vectors {
  const outer = factorise(columns, m, n, true);
  const inner = factorise(triangle(outer), n, n, false); // the rows of R are the columns of R^T
  const core = rightVectors(triangle(inner), n);
  const vectors = new Float64Array(n * m);
  for (let i = 0; i < n; i++) vectors.set(core.vectors.subarray(i * n, (i + 1) * n), i * m);
  applyQ(outer, vectors, n);
  return { ...core, vectors };
}

/** `A^T P = Q R`, that is `A = P R^T Q^T`: U is P times the right singular vectors of R. */
function wide(rows: Float64Array, m: number, n: number): Vectors {
  const outer = factorise(rows, n, m, true);
  const core = rightVectors(triangle(outer), m);
  const vectors = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) vectors[i * m + outer.order[j]] = core.vectors[i * m + j];
  }
  return { ...core, vectors };
}

/** Right singular vectors of a row-major square matrix, which is overwritten. */
function rightVectors(a: Float64Array, size: number): Vectors {
  const sweeps = orthogonaliseRows(a, size, size);
  const lengths = Float64Array.from({ length: size }, (_, i) => norm(a, i * size, size));
  const order = Array.from(lengths.keys()).sort((i, j) => lengths[j] - lengths[i]);
  const singularValues = Float64Array.from(order, (i) => lengths[i]);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => {
    vectors.set(a.subarray(from * size, (from + 1) * size), to * size);
    if (lengths[from] > 0) divide(vectors, to * size, size, lengths[from]);
  });
  const complete = singularValues[size - 1] ** 2 >= TINY_SQUARE;
  return { vectors: complete ? vectors : completed(vectors, size), singularValues, sweeps };
}

/** An orthonormal basis that agrees, up to signs, with the given vectors as far as they are orthonormal. */
function completed(vectors: Float64Array, size: number): Float64Array {
  return thinQ(factorise(vectors, size, size, false));
}

function divide(a: Float64Array, start: number, length: number, divisor: number): void {
  for (let k = start; k < start + length; k++) a[k] /= divisor;
}

function fixSigns(vectors: Float64Array, count: number, length: number): void {
  for (let i = 0; i < count; i++) {
    let largest = i * length;
    for (let k = largest; k < (i + 1) * length; k++) {
      if (Math.abs(vectors[k]) > Math.abs(vectors[largest])) largest = k;
    }
    if (vectors[largest] < 0) scale(vectors, i * length, length, -1);
  }
}

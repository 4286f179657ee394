import { applyQ, factorise, triangle } from "./householder.ts";
import { multiplyByTransposed, transpose } from "./matrix.ts";
import { thinQ } from "./qr.ts";
import { orthogonaliseRows } from "./row_jacobi.ts";
import { multiplyByPowerOfTwo, scaleToUnit } from "./scaling.ts";
import type { LeftSvd } from "./svd.ts";
import { norm, scale, TINY_SQUARE } from "./vector.ts";

/** An SVD by Jacobi's method, with how it went. */
export interface JacobiSvd extends LeftSvd {
  /** Passes of the iteration over all pairs of rows. */
  readonly sweeps: number;
}

/**
 * The decomposition of `leftSvd` by Jacobi's method: slow on large matrices (ten passes, each of the cost of a QR), and
 * the most accurate one, as small singular values of graded matrices come out with all of their digits.
 *
 * QR with column pivoting brings A to a triangle, whose rows one-sided Jacobi makes orthogonal without having to
 * collect its rotations (Drmac and Veselic 2008, "New fast and accurate Jacobi SVD algorithm"). Multiplying A by a
 * power of two changes nothing but the exponents.
 *
 * @param a row-major `[m, n]`; left as it is
 * @throws RangeError if a number is not finite
 */
export function jacobiSvd(a: Float64Array, m: number, n: number): JacobiSvd {
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

import { applyQ, factorise, type Reflectors, triangle } from "./householder.ts";
import { checkMatrix, transpose } from "./matrix.ts";
import { multiplyByPowerOfTwo, scaleToUnit } from "./scaling.ts";

/** A thin QR factorisation. */
export interface Qr {
  /** `[m, n]`, orthonormal columns. */
  readonly q: Float64Array;
  /** `[n, n]`, upper triangular. */
  readonly r: Float64Array;
}

/**
 * Thin QR factorisation `A = Q R` by Householder reflections. Q has orthonormal columns to machine precision whatever A
 * is: where A's columns are dependent or zero, R has small or zero entries on its diagonal.
 *
 * @param a row-major `[m, n]`, `m >= n`; left as it is
 * @throws RangeError if `m < n`, the sizes do not fit, or a number is not finite
 *
 * @example
 * ```ts
 * householderQr(Float64Array.of(3, 4), 2, 1); // q = [-0.6, -0.8], r = [-5]
 * ```
 */
export function householderQr(a: Float64Array, m: number, n: number): Qr {
  checkMatrix("factorise", a, m, n);
  if (m < n) {
    throw new RangeError(`Cannot compute the thin QR of a ${m} x ${n} matrix: it needs as many rows as columns`);
  }
  const { values, exponent } = scaleToUnit("factorise", a, n);
  const reflectors = factorise(transpose(values, m, n), m, n, false);
  const r = triangle(reflectors);
  multiplyByPowerOfTwo(r, exponent);
  return { q: transpose(thinQ(reflectors), n, m), r };
}

/** The columns of Q, `[count, rows]`. */
export function thinQ(reflectors: Reflectors): Float64Array {
  const { rows, count } = reflectors;
  const q = new Float64Array(count * rows);
  for (let j = 0; j < count; j++) q[j * rows + j] = 1;
  applyQ(reflectors, q, count);
  return q;
}

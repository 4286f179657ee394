/** A copy of a matrix as a power of two times numbers up to 1 in size. */
export interface Scaled {
  /** The numbers divided by `2 ** exponent`: the largest lies in [0.5, 1), and nothing is rounded but subnormals. */
  readonly values: Float64Array;
  readonly exponent: number;
}

/**
 * The exponent by which a matrix comes to a size where squares neither overflow nor underflow: the largest number is
 * `2 ** exponent` times something from 0.5 to 1. A zero matrix has 0.
 *
 * @throws RangeError at the first number that is infinite or NaN
 */
export function exponentOf(action: string, a: ArrayLike<number>, columns: number): number {
  let largest = 0;
  for (let k = 0; k < a.length; k++) {
    const size = Math.abs(a[k]);
    if (!(size < Infinity)) {
      const row = Math.floor(k / columns), column = k % columns;
      throw new RangeError(
        `Cannot ${action} a matrix with ${a[k]} at row ${row}, column ${column}: all must be finite`,
      );
    }
    if (size > largest) largest = size;
  }
  return largest === 0 ? 0 : Math.floor(Math.log2(largest)) + 1;
}

/**
 * Brings a matrix to that size.
 *
 * @throws RangeError at the first number that is infinite or NaN
 */
export function scaleToUnit(action: string, a: ArrayLike<number>, columns: number): Scaled {
  const exponent = exponentOf(action, a, columns);
  const values = Float64Array.from(a);
  multiplyByPowerOfTwo(values, -exponent);
  return { values, exponent };
}

/** Multiplies in place by `2 ** exponent`, in two steps, as the factor itself may leave the range of a float64. */
export function multiplyByPowerOfTwo(values: Float64Array, exponent: number): void {
  if (exponent === 0) return;
  const half = Math.trunc(exponent / 2);
  const first = 2 ** half, second = 2 ** (exponent - half);
  for (let k = 0; k < values.length; k++) values[k] = values[k] * first * second;
}

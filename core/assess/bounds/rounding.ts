/**
 * The relative error of one operation in float32. Half of it would do where numbers are rounded to the nearest; WGSL
 * lets a device take either neighbour of the true result.
 */
const UNIT = 2 ** -23;

/**
 * How far a sum of so many products may be off in float32, in whatever order it is added up, as a part of the sum of
 * their absolute values: gamma_n (Higham 2002, Accuracy and stability of numerical algorithms, section 3.1).
 *
 * @throws RangeError for sums so long that nothing is known of them
 */
export function gamma(terms: number): number {
  const error = terms * UNIT;
  if (!(error < 0.5)) throw new RangeError(`Cannot bound the rounding of a sum of ${terms} numbers in float32`);
  return error / (1 - error);
}

/** The least number of float32 from a number of at least 0 on. */
export function roundedUp(x: number): number {
  const near = Math.fround(x);
  // The factor goes past the next number, the addition past the next denormal one.
  return near >= x ? near : Math.fround(near * (1 + 2 ** -23) + 2 ** -149);
}

import { assertClose, pseudoRandom } from "./numbers.ts";

/**
 * Holds a tensor against its norm and its product with the generator's numbers of a seed, as a fixture keeps them.
 *
 * @param least what the norm counts as at least
 */
export function assertFingerprint(
  numbers: ArrayLike<number>,
  [norm, product]: readonly number[],
  seed: number,
  tolerance: number,
  what: string,
  least = 0,
): void {
  const values = Float64Array.from(numbers);
  const pattern = pseudoRandom(seed, values.length);
  const got = [Math.hypot(...values), values.reduce((sum, value, i) => sum + value * pattern[i], 0)];
  const scale = Math.max(norm, least);
  assertClose(got.map((value) => value / scale), [norm / scale, product / scale], tolerance, what);
}

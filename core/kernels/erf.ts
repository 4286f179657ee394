/** Beyond this erf is 1 to the last bit of a double. */
const LARGEST = 6;
/** Below this the series is taken, from here on the continued fraction: each is short on its side. */
const TURN = 2.5;
/** Steps of the continued fraction, enough for a double at {@link TURN}. */
const STEPS = 60;

/**
 * The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`, to about 1e-15.
 *
 * Small `x`: the series `2 / sqrt(pi) exp(-x^2) sum over n of 2^n x^(2n+1) / (1 3 5 .. (2n+1))`, whose terms are all of
 * one sign. Large `x`: `1 - erfc(x)` by Laplace's continued fraction.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size < LARGEST)) return Number.isNaN(x) ? x : Math.sign(x);
  const bell = Math.exp(-size * size) / Math.sqrt(Math.PI);
  if (size < TURN) {
    let term = size;
    let sum = size;
    for (let n = 1; term > sum * 1e-17; n++) sum += term *= size * size / (n + 0.5);
    return Math.sign(x) * 2 * bell * sum;
  }
  let fraction = size;
  for (let k = STEPS; k >= 1; k--) fraction = size + k / 2 / fraction;
  return Math.sign(x) * (1 - bell / fraction);
}

/**
 * The quantile of Student's t distribution: the value that a draw stays below with the given probability.
 *
 * @param probability above 0 and below 1
 * @param degrees degrees of freedom, above 0; fractions are allowed
 * @throws RangeError for other values
 *
 * @example
 * ```ts
 * tQuantile(0.975, 4); // 2.776...: half the width of a 95 % interval in standard errors
 * ```
 */
export function tQuantile(probability: number, degrees: number): number {
  if (!(probability > 0 && probability < 1 && degrees > 0)) {
    throw new RangeError(`Cannot take the ${probability} quantile of t with ${degrees} degrees of freedom`);
  }
  if (probability < 0.5) return -tQuantile(1 - probability, degrees);
  // P(T > t) = I_x(degrees / 2, 1 / 2) / 2 with x = degrees / (degrees + t^2), which falls as t grows.
  const upper = (t: number) => regularisedBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  let low = 0, high = 1;
  while (upper(high) > 1 - probability) high *= 2;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (upper(middle) > 1 - probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22). */
function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  // The fraction converges fast on this side only; the other follows by symmetry.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  let fraction = 1;
  for (let m = 100; m >= 1; m--) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    fraction = 1 + even / (1 + odd / fraction);
  }
  const first = -(a + b) * x / (a + 1);
  return front / (1 + first / fraction);
}

/** ln Gamma(x) for x > 0: Stirling's series after the argument is raised to where it is exact to rounding. */
function logGamma(x: number): number {
  let shift = 0, z = x;
  for (; z < 10; z++) shift += Math.log(z);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / z;
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - shift;
}

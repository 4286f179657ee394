/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * The 95 % interval of a part that was counted, by Wilson's score (1927): what drawing other examples of the same kind
 * would do to it.
 *
 * @param right how many are
 * @param of how many were looked at, at least 1
 */
export function wilsonInterval(right: number, of: number): [low: number, high: number] {
  const part = right / of;
  const scale = 1 + Z * Z / of;
  const centre = (part + Z * Z / (2 * of)) / scale;
  const half = Z * Math.sqrt(part * (1 - part) / of + Z * Z / (4 * of * of)) / scale;
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

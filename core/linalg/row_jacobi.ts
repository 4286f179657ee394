import { dot, rotate, TINY_SQUARE } from "./vector.ts";

/** More sweeps than any matrix needs (about ten): a bound, so that rounding can never keep the loop alive. */
const MAX_SWEEPS = 60;

/**
 * One-sided Jacobi (Hestenes): plane rotations from the left make the rows of a matrix orthogonal, in place, until
 * every pair meets at an angle whose cosine is within rounding of zero. The rows are then singular values times right
 * singular vectors, both to high relative accuracy if the rows were graded well (Demmel and Veselic 1992).
 *
 * @param a row-major `[count, length]`, entries up to about 1
 * @returns the number of sweeps over all pairs, the last of which found nothing to rotate
 */
export function orthogonaliseRows(a: Float64Array, count: number, length: number): number {
  const tolerance = Math.sqrt(length) * Number.EPSILON;
  const squares = new Float64Array(count);
  for (let sweep = 1; sweep <= MAX_SWEEPS; sweep++) {
    for (let i = 0; i < count; i++) squares[i] = dot(a, i * length, a, i * length, length);
    let rotated = false;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        if (orthogonalisePair(a, i, j, length, squares, tolerance)) rotated = true;
      }
    }
    if (!rotated) return sweep;
  }
  return MAX_SWEEPS;
}

/** Rotates rows i and j to a right angle, the longer one first; false if they met at one already. */
function orthogonalisePair(
  a: Float64Array,
  i: number,
  j: number,
  length: number,
  squares: Float64Array,
  tolerance: number,
): boolean {
  const x = squares[i], y = squares[j];
  // A row this short next to entries of 1 is zero for every purpose but its own length.
  if (x < TINY_SQUARE || y < TINY_SQUARE) return false;
  const product = dot(a, i * length, a, j * length, length);
  if (Math.abs(product) <= tolerance * Math.sqrt(x) * Math.sqrt(y)) return false;
  // The roots of t^2 + 2 zeta t - 1 = 0 are the tangents of the two rotations that do it. The smaller one turns least;
  // the other also exchanges the rows, which brings long rows to the front and saves sweeps.
  const zeta = (y - x) / (2 * product);
  const larger = zeta + (zeta < 0 ? -1 : 1) * Math.sqrt(1 + zeta * zeta);
  const tangent = y > x ? -larger : 1 / larger;
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  rotate(a, i * length, j * length, length, cosine, cosine * tangent);
  squares[i] = updated(a, i, length, x, x - tangent * product);
  squares[j] = updated(a, j, length, y, y + tangent * product);
  return true;
}

/** The new squared length by the formula, or afresh where the formula cancelled. */
function updated(a: Float64Array, row: number, length: number, before: number, after: number): number {
  return after > 1e-3 * before ? after : dot(a, row * length, a, row * length, length);
}

import { multiplyByTransposed, transpose } from "../linalg/matrix.ts";
import { householderQr } from "../linalg/qr.ts";
import { type Factors, legSizes } from "./shapes.ts";
import type { Sweep } from "./sweep.ts";

/** Every gauge, the default first. */
export const GAUGES = ["balanced", "left-canonical", "right-canonical"] as const;

/**
 * Where the singular values of a bond go; the product of the chain is the same.
 *
 * With P the product of the cores left of a bond, as a matrix `[.., d_k]`, and S that of the cores right of it:
 * - `balanced`: half to either side, `P^T P = S S^T = diag(sigma)`;
 * - `left-canonical`: all to the right, `P^T P = I`;
 * - `right-canonical`: all to the left, `S S^T = I`.
 */
export type Gauge = typeof GAUGES[number];

/**
 * The cores of a swept chain in another gauge; the arrays of the sweep are overwritten. In all gauges the columns of P point the
 * same way, that of the sweep, in which each has its entry of largest size positive. So chains of two matrices are
 * comparable, each bond for itself.
 *
 * Singular values that are noise next to the largest of their bond, by the arithmetic that they were computed in, count
 * as zero: the rows and columns of a balanced core that belong to them are zero, save where both do.
 */
export function toGauge(sweep: Sweep, factors: Factors, gauge: Gauge): readonly Float64Array[] {
  switch (gauge) {
    case "left-canonical":
      return sweep.cores;
    case "right-canonical":
      return rightCanonical(sweep, factors);
    case "balanced":
      balance(sweep, factors);
      return sweep.cores;
  }
}

/**
 * `T_k = Lambda_{k-1}^{-1/2} A_k Lambda_k^{1/2}` of the left-canonical cores A_k, in place: the columns of P become
 * `u sqrt(sigma)`, and as the product is the same, the rows of S are `sqrt(sigma) v^T`. This is the gauge that the
 * published code reaches with two more sweeps and an SVD at each bond.
 */
function balance({ cores, singularValues, arithmetic }: Sweep, factors: Factors): void {
  const legs = legSizes(factors);
  const roots = [[1], ...singularValues.map((values, k) => rootsOf(values, arithmetic[k].epsilon)), [1]];
  cores.forEach((core, k) => {
    const left = roots[k], right = roots[k + 1];
    // Between two bonds that are the same, an identity stays one.
    if (k > 0 && k < cores.length - 1 && legs[k] === 1) return;
    let place = 0;
    for (const a of left) {
      for (let leg = 0; leg < legs[k]; leg++) {
        for (const b of right) {
          // A direction that the matrix does not use has no scale. What connects two of them stays as it is.
          if (a !== 0 && b !== 0) core[place] *= b / a;
          else if (a !== b) core[place] = 0;
          place++;
        }
      }
    }
  });
}

function rootsOf(values: Float64Array, epsilon: number): number[] {
  const noise = epsilon * values[0];
  return Array.from(values, (value) => value > noise ? Math.sqrt(value) : 0);
}

/**
 * From right to left: `T_k = R^T Q^T` leaves `Q^T`, and `R^T`, which is diagonal up to rounding, goes to the core
 * before.
 */
function rightCanonical({ bonds, cores }: Sweep, factors: Factors): Float64Array[] {
  const legs = legSizes(factors);
  const result = [...cores];
  for (let k = cores.length - 1; k > 0; k--) {
    const bond = bonds[k], rest = legs[k] * bonds[k + 1];
    const { q, r } = householderQr(transpose(result[k], bond, rest), rest, bond);
    result[k] = transpose(q, rest, bond);
    // The rows keep the directions they had.
    for (let row = 0; row < bond; row++) {
      if (r[row * (bond + 1)] >= 0) continue;
      for (let col = 0; col < bond; col++) r[row * bond + col] *= -1;
      for (let col = 0; col < rest; col++) result[k][row * rest + col] *= -1;
    }
    result[k - 1] = multiplyByTransposed(result[k - 1], r, result[k - 1].length / bond, bond, bond);
  }
  return result;
}

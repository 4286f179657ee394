import { leftSvd } from "../linalg/svd.ts";

/** The part of an SVD that a decomposition needs: `A = U (U^T A)`, singular values descending. */
export interface SvdParts {
  /** `[m, r]`, orthonormal columns, the entry of largest size of each positive; r is the smaller of m and n. */
  readonly u: Float64Array;
  readonly singularValues: Float64Array;
  /** `[r, n]`, `U^T A`. */
  readonly remainder: Float64Array;
}

/** Where a decomposition's SVDs are computed. */
export interface LinearAlgebra {
  /** The precision of its numbers: singular values this much smaller than the largest are noise. */
  readonly epsilon: number;
  svd(matrix: Float64Array, rows: number, cols: number): SvdParts | Promise<SvdParts>;
}

/** In float64, on the host. */
export const hostLinearAlgebra: LinearAlgebra = { epsilon: Number.EPSILON, svd: leftSvd };

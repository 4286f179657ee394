import type { WasmRuntime } from "../backend/cpu/wasm_runtime.ts";
import { blockedSvd } from "./blocked_svd.ts";
import { jacobiSvd } from "./jacobi_svd.ts";
import { lapackSvd } from "./lapack_svd.ts";
import { checkMatrix } from "./matrix.ts";

/** A thin singular value decomposition that keeps `remainder = S V^T` instead of V; r is the smaller of m and n. */
export interface LeftSvd {
  /** `[m, r]`, orthonormal columns, also those of zero singular values. */
  readonly u: Float64Array;
  /** `[r]`, descending. */
  readonly singularValues: Float64Array;
  /** `[r, n]`, `U^T A`: orthogonal rows, as long as the singular values. */
  readonly remainder: Float64Array;
  /** Whether a library's LAPACK has computed it. */
  readonly byLibrary?: boolean;
}

/** From this many singular values on the blocked method is taken; Jacobi needs about a millisecond for one less. */
const BLOCKED_FROM = 48;

/**
 * Thin SVD of a matrix, as `A = U (U^T A)`. The remainder is computed as that product: it carries the rounding of one
 * product and no division by singular values, as V would, so that U times it gives A to machine precision whatever the
 * rank. Signs are fixed: the entry of largest size (the first of equals) of each column of U is positive.
 *
 * Singular values are exact to the rounding of the largest one. Below 48 of them, where it costs nothing, also small
 * ones of graded matrices have all of their digits: see {@link jacobiSvd}, and {@link blockedSvd} for larger matrices.
 *
 * @param a row-major `[m, n]`; left as it is
 * @param wasm the cpu backend's, whose threads share the work, or whose library does it from 48 singular values on; by
 * default this thread does
 * @throws RangeError if the sizes do not fit, or a number is not finite
 *
 * @example
 * ```ts
 * const { u, singularValues, remainder } = leftSvd(Float64Array.of(0, 2, -1, 0), 2, 2);
 * // u = [1, 0, 0, 1], singularValues = [2, 1], remainder = [0, 2, -1, 0]
 * ```
 */
export function leftSvd(a: Float64Array, m: number, n: number, wasm: WasmRuntime | null = null): LeftSvd {
  checkMatrix("decompose", a, m, n);
  if (Math.min(m, n) < BLOCKED_FROM) return jacobiSvd(a, m, n);
  const { svd = null, threads = 1 } = wasm?.kernels ?? {};
  return (svd && lapackSvd(svd, a, m, n, threads)) ?? blockedSvd(a, m, n, wasm);
}

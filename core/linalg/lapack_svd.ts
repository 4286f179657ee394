import type { WasmKernels } from "../backend/cpu/wasm/wasm_kernels.ts";
import { exponentOf, multiplyByPowerOfTwo } from "./scaling.ts";
import type { LeftSvd } from "./svd.ts";

/**
 * The decomposition of `leftSvd` by a library's LAPACK, with the order and the signs that are agreed. It is backward
 * stable: U and V are orthonormal to machine precision, and the remainder is `S V^T`.
 *
 * @param a row-major `[m, n]`; left as it is
 * @param threads of the library's own
 * @returns `null` if the library's iteration did not come to its end
 * @throws RangeError if a number is not finite
 */
export function lapackSvd(
  svd: NonNullable<WasmKernels["svd"]>,
  a: Float64Array,
  m: number,
  n: number,
  threads: number,
): LeftSvd | null {
  const exponent = exponentOf("decompose", a, n);
  const r = Math.min(m, n);
  const matrix = a.slice(), u = new Float64Array(m * r), remainder = new Float64Array(r * n);
  multiplyByPowerOfTwo(matrix, -exponent);
  const singularValues = new Float64Array(r);
  // Row by row, A is A^T column by column: V S U^T.
  if (!svd(n, m, matrix, singularValues, remainder, u, threads)) return null;
  const signs = fixSigns(u, m, r);
  for (let k = 0; k < r; k++) {
    const factor = signs[k] * singularValues[k];
    for (let j = k * n; j < (k + 1) * n; j++) remainder[j] *= factor;
  }
  multiplyByPowerOfTwo(singularValues, exponent);
  multiplyByPowerOfTwo(remainder, exponent);
  return { u, singularValues, remainder, byLibrary: true };
}

/**
 * Makes the entry of largest size (the first of equals) of each column positive.
 *
 * @returns 1, or -1 for a column that was turned
 */
function fixSigns(u: Float64Array, rows: number, columns: number): Float64Array {
  const largest = u.slice(0, columns);
  for (let start = columns; start < rows * columns; start += columns) {
    for (let k = 0; k < columns; k++) {
      const value = u[start + k];
      if (Math.abs(value) > Math.abs(largest[k])) largest[k] = value;
    }
  }
  const signs = largest.map((value) => value < 0 ? -1 : 1);
  for (let start = 0; start < rows * columns; start += columns) {
    for (let k = 0; k < columns; k++) u[start + k] *= signs[k];
  }
  return signs;
}

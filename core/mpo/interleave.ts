import type { Factors } from "./shapes.ts";

/**
 * Brings the factors of a matrix into the order of the cores: `[i_1 .. i_n, j_1 .. j_n]` becomes
 * `[i_1, j_1, i_2, j_2, .. i_n, j_n]`.
 *
 * @param matrix row-major
 */
export function interleave(matrix: ArrayLike<number>, factors: Factors): Float64Array {
  const result = new Float64Array(matrix.length);
  forEachEntry(factors, (place, interleaved) => result[interleaved] = matrix[place]);
  return result;
}

/** Undoes {@link interleave}. */
export function deinterleave(interleaved: ArrayLike<number>, factors: Factors): Float64Array {
  const result = new Float64Array(interleaved.length);
  forEachEntry(factors, (place, from) => result[place] = interleaved[from]);
  return result;
}

/** Calls `visit` for each entry of the matrix with its place there and its place in the interleaved order. */
function forEachEntry({ rows, cols }: Factors, visit: (place: number, interleaved: number) => void): void {
  // The interleaved place is a sum of one part that the row number decides and one that the column number does.
  const rowStrides: number[] = [], colStrides: number[] = [];
  for (let k = rows.length - 1, stride = 1; k >= 0; k--) {
    colStrides[k] = stride;
    rowStrides[k] = stride *= cols[k];
    stride *= rows[k];
  }
  const rowOffsets = digitSums(rows, rowStrides), colOffsets = digitSums(cols, colStrides);
  let place = 0;
  for (const row of rowOffsets) for (const col of colOffsets) visit(place++, row + col);
}

/** For each number with the digits' bases `factors`, the sum of its digits times `strides`. */
function digitSums(factors: readonly number[], strides: readonly number[]): number[] {
  let sums = [0];
  factors.forEach((factor, k) => {
    sums = sums.flatMap((sum) => Array.from({ length: factor }, (_, digit) => sum + digit * strides[k]));
  });
  return sums;
}

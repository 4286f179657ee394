/** A matrix with its numbers, row-major. */
interface Matrix {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** `[rows, columns]` to `[columns, rows]`; what else is said of the matrix stays. */
export function transposed<M extends Matrix>(matrix: M): M & { readonly data: Float32Array<ArrayBuffer> } {
  const { shape: [rows, columns], data } = matrix;
  const moved = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) moved[column * rows + row] = Number(data[row * columns + column]);
  }
  return { ...matrix, shape: [columns, rows], data: moved };
}

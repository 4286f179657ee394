import { sizeOf } from "../tensor.ts";

/** Rows and columns of a matrix. */
export interface MatrixSize {
  readonly rows: number;
  readonly cols: number;
}

/** A weight as a matrix: outputs by everything else. */
export function matrixSize(shape: readonly number[]): MatrixSize {
  return { rows: shape[0], cols: sizeOf(shape.slice(1)) };
}

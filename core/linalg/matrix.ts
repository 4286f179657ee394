import { dot } from "./vector.ts";

/** Refuses sizes that are no positive whole numbers, and data of another length. */
export function checkMatrix(action: string, a: { readonly length: number }, rows: number, columns: number): void {
  for (const size of [rows, columns]) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`Cannot ${action} a ${rows} x ${columns} matrix: sizes must be whole numbers from 1`);
    }
  }
  if (a.length !== rows * columns) {
    throw new RangeError(
      `Cannot ${action} a ${rows} x ${columns} matrix from ${a.length} numbers: it takes ${rows * columns}`,
    );
  }
}

/**
 * The transpose of a row-major matrix, in square tiles, so that both sides stay within cache lines already loaded.
 *
 * @param result where it goes: a new array by default
 */
export function transpose(
  a: Float64Array,
  rows: number,
  columns: number,
  result: Float64Array = new Float64Array(rows * columns),
): Float64Array {
  const TILE = 16;
  for (let i0 = 0; i0 < rows; i0 += TILE) {
    for (let j0 = 0; j0 < columns; j0 += TILE) {
      const iEnd = Math.min(i0 + TILE, rows), jEnd = Math.min(j0 + TILE, columns);
      for (let i = i0; i < iEnd; i++) {
        for (let j = j0; j < jEnd; j++) result[j * rows + i] = a[i * columns + j];
      }
    }
  }
  return result;
}

/** `A B^T` of row-major `a` `[p, k]` and `b` `[q, k]`: inner products of rows, two by four at a time. */
export function multiplyByTransposed(a: Float64Array, b: Float64Array, p: number, q: number, k: number): Float64Array {
  const c = new Float64Array(p * q);
  const pEven = p - p % 2, qFours = q - q % 4;
  for (let j = 0; j < qFours; j += 4) {
    const b0 = j * k, b1 = b0 + k, b2 = b1 + k, b3 = b2 + k;
    for (let i = 0; i < pEven; i += 2) {
      const a0 = i * k, a1 = a0 + k;
      let c00 = 0, c01 = 0, c02 = 0, c03 = 0, c10 = 0, c11 = 0, c12 = 0, c13 = 0;
      for (let l = 0; l < k; l++) {
        const x = a[a0 + l], y = a[a1 + l], u = b[b0 + l], v = b[b1 + l], w = b[b2 + l], z = b[b3 + l];
        c00 += x * u;
        c01 += x * v;
        c02 += x * w;
        c03 += x * z;
        c10 += y * u;
        c11 += y * v;
        c12 += y * w;
        c13 += y * z;
      }
      const at = i * q + j;
      c.set([c00, c01, c02, c03], at);
      c.set([c10, c11, c12, c13], at + q);
    }
  }
  for (let i = 0; i < p; i++) {
    for (let j = i < pEven ? qFours : 0; j < q; j++) c[i * q + j] = dot(a, i * k, b, j * k, k);
  }
  return c;
}

// General matrix product.

import { fillRowTable, packColumns, packedWidth, PANEL_ROW, packRows } from "./pack";
import { packedTile, TILE_COLUMNS, TILE_ROWS, TILE_SUMS } from "./tile";

/** Depth of one pass: a panel of B of this depth (8 KiB) and a tile's rows of A (4 KiB) fit the first-level cache. */
const BLOCK_DEPTH: i32 = 256;

/** Columns of one pass: the packed block of B (256 KiB) stays in the second-level cache. */
const BLOCK_COLUMNS: i32 = 256;

/** Bytes of one table of row offsets. */
const TABLE: usize = 4 * TILE_ROWS;

/** Bytes of the packed rows of A of one tile. */
const PACKED_A: usize = 4 * TILE_ROWS * BLOCK_DEPTH;

/** Bytes of scratch memory that `gemm` needs for an output of n columns and a depth of k. */
export function gemmScratch(n: i32, k: i32): usize {
  const panels = (<usize> packedWidth(min(n, BLOCK_COLUMNS)) * min(k, BLOCK_DEPTH)) << 2;
  return TILE_SUMS + 2 * TABLE + PACKED_A + panels;
}

/**
 * Rows `rowBegin` to `rowEnd` of C[m, n] = op(A) op(B), or of C += op(A) op(B) if `accumulate`.
 *
 * A is [m, k] with `lda` elements from row to row, or [k, m] if `transA`; B is [k, n], or [n, k] if `transB`.
 * An element of C is summed in the same order whatever the row range is.
 */
export function gemm(
  n: i32, k: i32,
  a: usize, lda: i32, transA: bool,
  b: usize, ldb: i32, transB: bool,
  c: usize, ldc: i32, accumulate: bool,
  scratch: usize, rowBegin: i32, rowEnd: i32,
): void {
  if (rowBegin >= rowEnd || n <= 0) return;
  // Bytes from row to row, and along a row, of op(A), op(B) and C.
  const aRow: usize = transA ? 4 : (<usize> lda) << 2, aStep: usize = transA ? (<usize> lda) << 2 : 4;
  const bRow: usize = transB ? 4 : (<usize> ldb) << 2, bStep: usize = transB ? (<usize> ldb) << 2 : 4;
  const cRow: usize = (<usize> ldc) << 2;

  const sums = scratch, aTable = sums + TILE_SUMS, cTable = aTable + TABLE;
  const packedA = cTable + TABLE, packedB = packedA + PACKED_A;

  for (let column = 0; column < n; column += BLOCK_COLUMNS) {
    const columns = min(n - column, BLOCK_COLUMNS);
    let add = accumulate, kBegin = 0;
    // At least once, so that a product of depth 0 is zero.
    do {
      const depth = min(k - kBegin, BLOCK_DEPTH);
      const panelStep = <usize> depth * PANEL_ROW;
      packColumns(b + <usize> kBegin * bRow + <usize> column * bStep, bRow, bStep, depth, columns, packedB, panelStep);
      for (let row = rowBegin; row < rowEnd; row += TILE_ROWS) {
        const rows = min(rowEnd - row, TILE_ROWS);
        if (row == rowBegin || rows < TILE_ROWS) {
          fillRowTable(aTable, rows, aRow);
          fillRowTable(cTable, rows, cRow);
        }
        packRows(a + <usize> row * aRow + <usize> kBegin * aStep, aTable, aStep, depth, packedA);
        let tileB = packedB, tileC = c + <usize> row * cRow + ((<usize> column) << 2);
        for (let left = columns; left > 0; left -= TILE_COLUMNS, tileB += panelStep, tileC += PANEL_ROW) {
          packedTile(packedA, tileB, depth, tileC, cTable, rows, min(left, TILE_COLUMNS), add, sums);
        }
      }
      add = true;
      kBegin += BLOCK_DEPTH;
    } while (kBegin < k);
  }
}

/**
 * The products `begin` to `end` of a batch, each of them C[m, n] = op(A) op(B) as `gemm` has it; A, B and C of one are
 * `aBatch`, `bBatch` and `cBatch` elements behind those of the one before.
 */
export function gemmBatch(
  m: i32, n: i32, k: i32,
  a: usize, lda: i32, transA: bool, aBatch: i32,
  b: usize, ldb: i32, transB: bool, bBatch: i32,
  c: usize, cBatch: i32,
  scratch: usize, begin: i32, end: i32,
): void {
  for (let i = <usize> begin; i < <usize> end; ++i) {
    gemm(
      n, k, a + ((i * <usize> aBatch) << 2), lda, transA, b + ((i * <usize> bBatch) << 2), ldb, transB,
      c + ((i * <usize> cBatch) << 2), n, false, scratch, 0, m,
    );
  }
}

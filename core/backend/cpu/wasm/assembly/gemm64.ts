// General matrix product in float64, for the decompositions.

import { DOUBLE, multiplyAdd64 } from "./simd64";

/** A tile of six rows and four columns (two vectors each) fills 12 of the 16 vector registers of x86-64. */
const ROWS: i32 = 6;
const COLUMNS: i32 = 4;

/**
 * Depth of one pass: a tile's rows of A (3 KiB) and columns of B (2 KiB) fit the first-level cache. It is short so that
 * a long sum is one of short sums, which rounds less.
 */
const BLOCK_DEPTH: i32 = 64;

/** Columns of one pass: the packed block of B (512 KiB) stays in the second-level cache. A is packed once a pass. */
const BLOCK_COLUMNS: i32 = 1024;

/** Bytes of one step in depth of the packed rows of A, and of a packed panel of B. */
const ROWS_STEP: usize = DOUBLE * ROWS;
const PANEL_STEP: usize = DOUBLE * COLUMNS;

/** Bytes of the packed rows of a tile, and of a tile on its way to the edge of C. */
const PACKED_ROWS: usize = ROWS_STEP * BLOCK_DEPTH;
const SPILL: usize = ROWS_STEP * COLUMNS;

/** Bytes of scratch memory that `gemm64` needs, whatever the sizes. */
export function gemm64Scratch(): usize {
  return SPILL + PACKED_ROWS + PANEL_STEP * BLOCK_DEPTH * (BLOCK_COLUMNS / COLUMNS);
}

/**
 * C[m, n] += alpha op(A) op(B).
 *
 * A is [m, k] with `lda` elements from row to row, or [k, m] if `transA`; B is [k, n], or [n, k] if `transB`. For an
 * alpha of 1 or -1 no rounding is added.
 */
export function gemm64(
  m: i32, n: i32, k: i32, alpha: f64,
  a: usize, lda: i32, transA: bool,
  b: usize, ldb: i32, transB: bool,
  c: usize, ldc: i32, scratch: usize,
): void {
  // Bytes from row to row, and along a row, of op(A), op(B) and C.
  const aRow: usize = transA ? 8 : (<usize> lda) << 3, aStep: usize = transA ? (<usize> lda) << 3 : 8;
  const bRow: usize = transB ? 8 : (<usize> ldb) << 3, bStep: usize = transB ? (<usize> ldb) << 3 : 8;
  const cRow: usize = (<usize> ldc) << 3;
  const packedA = scratch + SPILL, packedB = packedA + PACKED_ROWS;
  for (let column = 0; column < n; column += BLOCK_COLUMNS) {
    const columns = min(n - column, BLOCK_COLUMNS);
    for (let deep = 0; deep < k; deep += BLOCK_DEPTH) {
      const depth = min(k - deep, BLOCK_DEPTH), panel = <usize> depth * PANEL_STEP;
      let from = b + <usize> deep * bRow + <usize> column * bStep, to = packedB;
      for (let left = columns; left > 0; left -= COLUMNS, from += bStep * COLUMNS, to += panel) {
        pack(from, bRow, bStep, depth, min(left, COLUMNS), COLUMNS, to);
      }
      for (let row = 0; row < m; row += ROWS) {
        const rows = min(m - row, ROWS);
        pack(a + <usize> row * aRow + <usize> deep * aStep, aStep, aRow, depth, rows, ROWS, packedA);
        let tileB = packedB, tileC = c + <usize> row * cRow + ((<usize> column) << 3);
        for (let left = columns; left > 0; left -= COLUMNS, tileB += panel, tileC += PANEL_STEP) {
          if (rows == ROWS && left >= COLUMNS) {
            tile(packedA, tileB, depth, alpha, tileC, cRow);
          } else {
            memory.fill(scratch, 0, SPILL);
            tile(packedA, tileB, depth, alpha, scratch, PANEL_STEP);
            addPart(scratch, tileC, cRow, rows, min(left, COLUMNS));
          }
        }
      }
    }
  }
}

/** Packs `lanes` runs side by side, filled up to `width` with zeros: steps `step` bytes apart, runs `run` bytes. */
function pack(from: usize, step: usize, run: usize, depth: i32, lanes: i32, width: i32, to: usize): void {
  const stride = (<usize> width) << 3;
  if (lanes == width && run == 8) {
    for (; depth > 0; --depth, from += step, to += stride) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      if (width == ROWS) v128.store(to, v128.load(from, 32), 32);
    }
    return;
  }
  if (lanes < width) memory.fill(to, 0, <usize> depth * stride);
  if (step == DOUBLE) {
    for (; lanes > 1; lanes -= 2, from += 2 * run, to += 2 * DOUBLE) packTwo(from, from + run, depth, to, stride);
  }
  for (; lanes > 0; --lanes, from += run, to += DOUBLE) {
    let source = from, target = to;
    for (let left = depth; left > 0; --left, source += step, target += stride) {
      store<f64>(target, load<f64>(source));
    }
  }
}

/** Two runs without gaps, two steps at a time. */
function packTwo(from: usize, next: usize, depth: i32, to: usize, stride: usize): void {
  for (; depth > 1; depth -= 2, from += 2 * DOUBLE, next += 2 * DOUBLE, to += 2 * stride) {
    const x = v128.load(from), y = v128.load(next);
    v128.store(to, v128.shuffle<f64>(x, y, 0, 2));
    v128.store(to + stride, v128.shuffle<f64>(x, y, 1, 3));
  }
  if (depth > 0) {
    store<f64>(to, load<f64>(from));
    store<f64>(to, load<f64>(next), DOUBLE);
  }
}

/** Adds the part of a tile that lies inside C. */
function addPart(from: usize, c: usize, cRow: usize, rows: i32, columns: i32): void {
  for (; rows > 0; --rows, from += PANEL_STEP, c += cRow) {
    for (let j: usize = 0; j < (<usize> columns) << 3; j += 8) store<f64>(c + j, load<f64>(c + j) + load<f64>(from + j));
  }
}

@inline
function addRow(c: usize, alpha: v128, left: v128, right: v128): void {
  v128.store(c, multiplyAdd64(alpha, left, v128.load(c)));
  v128.store(c, multiplyAdd64(alpha, right, v128.load(c, 16)), 16);
}

/** One tile of C += alpha A B, all of its sums in registers. */
function tile(a: usize, b: usize, depth: i32, alpha: f64, c: usize, cRow: usize): void {
  const zero = f64x2.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero, c40 = zero, c41 = zero, c50 = zero, c51 = zero;
  for (; depth > 0; --depth, a += ROWS_STEP, b += PANEL_STEP) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let s = v128.load64_splat(a);
    c00 = multiplyAdd64(s, b0, c00); c01 = multiplyAdd64(s, b1, c01);
    s = v128.load64_splat(a, 8);
    c10 = multiplyAdd64(s, b0, c10); c11 = multiplyAdd64(s, b1, c11);
    s = v128.load64_splat(a, 16);
    c20 = multiplyAdd64(s, b0, c20); c21 = multiplyAdd64(s, b1, c21);
    s = v128.load64_splat(a, 24);
    c30 = multiplyAdd64(s, b0, c30); c31 = multiplyAdd64(s, b1, c31);
    s = v128.load64_splat(a, 32);
    c40 = multiplyAdd64(s, b0, c40); c41 = multiplyAdd64(s, b1, c41);
    s = v128.load64_splat(a, 40);
    c50 = multiplyAdd64(s, b0, c50); c51 = multiplyAdd64(s, b1, c51);
  }
  const factor = f64x2.splat(alpha);
  addRow(c, factor, c00, c01); c += cRow;
  addRow(c, factor, c10, c11); c += cRow;
  addRow(c, factor, c20, c21); c += cRow;
  addRow(c, factor, c30, c31); c += cRow;
  addRow(c, factor, c40, c41); c += cRow;
  addRow(c, factor, c50, c51);
}

// The micro-kernel under the matrix product and the three directions of convolution.
//
// Deno does not let V8 leave the bounds of memory to the processor, so that each load is a comparison and a branch as
// well. Hence four numbers of A are loaded at once and spread by shuffles, whichever way they lie, and a tile has four
// rows: larger ones, and loops that are unrolled further, keep their sums in memory.

import { multiplyAdd, VECTOR } from "./simd";

/** Rows of a tile. */
export const TILE_ROWS: i32 = 4;

/** Columns of a tile: two vectors. */
export const TILE_COLUMNS: i32 = 8;

/** Bytes of a row of a tile's sums. */
const SUMS_ROW: usize = 4 * TILE_COLUMNS;

/** Bytes of the private memory for the sums of a tile that are not to be stored as they are. */
export const TILE_SUMS: usize = <usize> TILE_ROWS * SUMS_ROW;

/** Lane `lane` of a vector, which is a constant, four times. */
@inline
function spread(vector: v128, lane: i32): v128 {
  if (lane == 0) return i8x16.shuffle(vector, vector, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
  if (lane == 1) return i8x16.shuffle(vector, vector, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
  if (lane == 2) return i8x16.shuffle(vector, vector, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11);
  return i8x16.shuffle(vector, vector, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15);
}

/** Stores (or adds) the sums of a tile, of which `rows` and `columns` exist in C. */
function storeTile(sums: usize, c: usize, cRows: usize, rows: i32, columns: i32, accumulate: bool): void {
  for (; rows > 0; --rows, cRows += 4, sums += SUMS_ROW) {
    const to = c + load<u32>(cRows);
    if (columns == TILE_COLUMNS) {
      let left = v128.load(sums), right = v128.load(sums, 16);
      if (accumulate) {
        left = f32x4.add(left, v128.load(to));
        right = f32x4.add(right, v128.load(to, 16));
      }
      v128.store(to, left);
      v128.store(to, right, 16);
    } else {
      for (let i: usize = 0; i < <usize> columns << 2; i += 4) {
        const value = load<f32>(sums + i);
        store<f32>(to + i, accumulate ? load<f32>(to + i) + value : value);
      }
    }
  }
}

/**
 * One 4 x 8 tile of C (+)= A B, each element summed over the depth in its order.
 *
 * The elements of a row of A are `aStep` bytes apart, in `segments` runs of `length`; between two runs the pointers
 * move on by another `aSkip` bytes. That one rule describes a plain or transposed matrix (one run), the patch of a
 * channels-last image under a convolution kernel (a run is one row of the kernel), and the pixels of an image as seen
 * by one tap of the kernel (a run is one row of the image).
 *
 * @param a base of A; row i starts at `a + load(aRows + 4 i)`. Four offsets are read, also if `rows` is less.
 * @param b first of the eight columns of B; its rows are `bStep` bytes apart
 * @param c base of C; row i starts at `c + load(cRows + 4 i)`
 * @param rows,columns how much of the tile exists in C; nothing else is written
 * @param sums TILE_SUMS bytes of private memory
 */
export function tile(
  a: usize, aRows: usize, segments: i32, length: i32, aStep: usize, aSkip: usize,
  b: usize, bStep: usize,
  c: usize, cRows: usize, rows: i32, columns: i32, accumulate: bool, sums: usize,
): void {
  const a0 = a + load<u32>(aRows), a1 = a + load<u32>(aRows, 4);
  const a2 = a + load<u32>(aRows, 8), a3 = a + load<u32>(aRows, 12);
  const whole = isWhole(rows, columns, accumulate);
  const to0 = whole ? c + load<u32>(cRows) : sums, to1 = whole ? c + load<u32>(cRows, 4) : sums + SUMS_ROW;
  const to2 = whole ? c + load<u32>(cRows, 8) : sums + 2 * SUMS_ROW;
  const to3 = whole ? c + load<u32>(cRows, 12) : sums + 3 * SUMS_ROW;
  if (a1 == a0 + 4 && a2 == a0 + 8 && a3 == a0 + 12) {
    multiplyAdjacent(a0, segments, length, aStep, aSkip, b, bStep, to0, to1, to2, to3);
  } else if (aStep == 4) {
    multiplyRuns(a0, a1, a2, a3, segments, length, aSkip, b, bStep, to0, to1, to2, to3);
  } else {
    multiplyScattered(a0, a1, a2, a3, segments, length, aStep, aSkip, b, bStep, to0, to1, to2, to3);
  }
  if (!whole) storeTile(sums, c, cRows, rows, columns, accumulate);
}

/** Whether a tile's sums can go to C as they are. */
@inline
function isWhole(rows: i32, columns: i32, accumulate: bool): bool {
  return rows == TILE_ROWS && columns == TILE_COLUMNS && !accumulate;
}

/**
 * One tile of rows of A packed by `packRows` and a panel of B packed by `packColumns`.
 *
 * @param c,cRows,rows,columns,accumulate,sums as `tile` has them
 */
export function packedTile(
  a: usize, b: usize, depth: i32, c: usize, cRows: usize, rows: i32, columns: i32, accumulate: bool, sums: usize,
): void {
  const whole = isWhole(rows, columns, accumulate);
  const to0 = whole ? c + load<u32>(cRows) : sums, to1 = whole ? c + load<u32>(cRows, 4) : sums + SUMS_ROW;
  const to2 = whole ? c + load<u32>(cRows, 8) : sums + 2 * SUMS_ROW;
  const to3 = whole ? c + load<u32>(cRows, 12) : sums + 3 * SUMS_ROW;
  multiplyAdjacent(a, 1, depth, 4 * TILE_ROWS, 0, b, 4 * TILE_COLUMNS, to0, to1, to2, to3);
  if (!whole) storeTile(sums, c, cRows, rows, columns, accumulate);
}

/** Rows of A that lie side by side. The loop is not unrolled, as V8 then keeps fewer sums in registers. */
function multiplyAdjacent(
  a: usize, segments: i32, length: i32, aStep: usize, aSkip: usize, b: usize, bStep: usize,
  to0: usize, to1: usize, to2: usize, to3: usize,
): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  for (; segments > 0; --segments, a += aSkip) {
    for (let k = length; k > 0; --k, a += aStep, b += bStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16), four = v128.load(a);
      let s = spread(four, 0);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = spread(four, 1);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = spread(four, 2);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = spread(four, 3);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
    }
  }
  v128.store(to0, c00); v128.store(to0, c01, 16);
  v128.store(to1, c10); v128.store(to1, c11, 16);
  v128.store(to2, c20); v128.store(to2, c21, 16);
  v128.store(to3, c30); v128.store(to3, c31, 16);
}

/**
 * Rows of A whose elements lie side by side: four of each at once, and what is left of a run one by one.
 *
 * The breaks are never taken. Without them the compiler's optimiser gathers what is added to each sum in one
 * expression, sum after sum, so that all that is loaded has to be kept: it goes to memory and back, at half the speed.
 */
function multiplyRuns(
  a0: usize, a1: usize, a2: usize, a3: usize, segments: i32, length: i32, aSkip: usize,
  b: usize, bStep: usize, to0: usize, to1: usize, to2: usize, to3: usize,
): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  for (; segments > 0; --segments, a0 += aSkip, a1 += aSkip, a2 += aSkip, a3 += aSkip) {
    let k = length;
    for (; k >= 4; k -= 4, a0 += VECTOR, a1 += VECTOR, a2 += VECTOR, a3 += VECTOR) {
      const r0 = v128.load(a0), r1 = v128.load(a1), r2 = v128.load(a2), r3 = v128.load(a3);
      let b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = spread(r0, 0);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = spread(r1, 0);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = spread(r2, 0);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = spread(r3, 0);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
      b += bStep;
      if (segments == 0) break;
      b0 = v128.load(b); b1 = v128.load(b, 16);
      s = spread(r0, 1);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = spread(r1, 1);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = spread(r2, 1);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = spread(r3, 1);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
      b += bStep;
      if (segments == 0) break;
      b0 = v128.load(b); b1 = v128.load(b, 16);
      s = spread(r0, 2);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = spread(r1, 2);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = spread(r2, 2);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = spread(r3, 2);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
      b += bStep;
      if (segments == 0) break;
      b0 = v128.load(b); b1 = v128.load(b, 16);
      s = spread(r0, 3);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = spread(r1, 3);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = spread(r2, 3);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = spread(r3, 3);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
      b += bStep;
    }
    for (; k > 0; --k, a0 += 4, a1 += 4, a2 += 4, a3 += 4, b += bStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a0);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = v128.load32_splat(a1);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = v128.load32_splat(a2);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = v128.load32_splat(a3);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
    }
  }
  v128.store(to0, c00); v128.store(to0, c01, 16);
  v128.store(to1, c10); v128.store(to1, c11, 16);
  v128.store(to2, c20); v128.store(to2, c21, 16);
  v128.store(to3, c30); v128.store(to3, c31, 16);
}

/** Rows of A whose elements lie anywhere. */
function multiplyScattered(
  a0: usize, a1: usize, a2: usize, a3: usize, segments: i32, length: i32, aStep: usize, aSkip: usize,
  b: usize, bStep: usize, to0: usize, to1: usize, to2: usize, to3: usize,
): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  for (; segments > 0; --segments, a0 += aSkip, a1 += aSkip, a2 += aSkip, a3 += aSkip) {
    for (let k = length; k > 0; --k, a0 += aStep, a1 += aStep, a2 += aStep, a3 += aStep, b += bStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a0);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = v128.load32_splat(a1);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = v128.load32_splat(a2);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = v128.load32_splat(a3);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
    }
  }
  v128.store(to0, c00); v128.store(to0, c01, 16);
  v128.store(to1, c10); v128.store(to1, c11, 16);
  v128.store(to2, c20); v128.store(to2, c21, 16);
  v128.store(to3, c30); v128.store(to3, c31, 16);
}

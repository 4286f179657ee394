// The micro-kernel under the matrix product and the three directions of convolution.

import { multiplyAdd, VECTOR } from "./simd";

/** Rows of a tile: with TILE_COLUMNS / 4 vectors each they fill 12 of the 16 vector registers of x86-64. */
export const TILE_ROWS: i32 = 6;

/** Columns of a tile: two vectors. */
export const TILE_COLUMNS: i32 = 8;

/** Bytes of the private memory that `tile` needs to store a tile with fewer than eight columns. */
export const TILE_SPILL: usize = 2 * VECTOR;

/** Stores (or adds) one row of a tile, of which only the first `columns` columns exist in the output. */
@inline
function storeRow(c: usize, left: v128, right: v128, columns: i32, accumulate: bool, spill: usize): void {
  if (columns == TILE_COLUMNS) {
    if (accumulate) {
      left = f32x4.add(left, v128.load(c));
      right = f32x4.add(right, v128.load(c, 16));
    }
    v128.store(c, left);
    v128.store(c, right, 16);
  } else {
    v128.store(spill, left);
    v128.store(spill, right, 16);
    storePart(c, spill, columns, accumulate);
  }
}

function storePart(c: usize, from: usize, columns: i32, accumulate: bool): void {
  for (let end = c + ((<usize> columns) << 2); c < end; c += 4, from += 4) {
    const value = load<f32>(from);
    store<f32>(c, accumulate ? load<f32>(c) + value : value);
  }
}

/**
 * One 6 x 8 tile of C (+)= A B, all of its sums in registers.
 *
 * The elements of a row of A are `aStep` bytes apart, in `segments` runs of `length`; between two runs the pointers
 * move on by another `aSkip` bytes. That one rule describes a plain or transposed matrix (one run), a packed one, the
 * patch of a channels-last image under a convolution kernel (a run is one row of the kernel), and the pixels of an
 * image as seen by one tap of the kernel (a run is one row of the image).
 *
 * @param a base of A; row i starts at `a + load(aRows + 4 i)`. Six offsets are read, also if `rows` is less.
 * @param b first of the eight columns of B; its rows are `bStep` bytes apart
 * @param c base of C; row i starts at `c + load(cRows + 4 i)`
 * @param rows,columns how much of the tile exists in C; nothing else is written
 * @param spill TILE_SPILL bytes of private memory
 */
export function tile(
  a: usize, aRows: usize, segments: i32, length: i32, aStep: usize, aSkip: usize,
  b: usize, bStep: usize,
  c: usize, cRows: usize, rows: i32, columns: i32, accumulate: bool, spill: usize,
): void {
  let a0 = a + load<u32>(aRows), a1 = a + load<u32>(aRows, 4), a2 = a + load<u32>(aRows, 8);
  let a3 = a + load<u32>(aRows, 12), a4 = a + load<u32>(aRows, 16), a5 = a + load<u32>(aRows, 20);
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero, c40 = zero, c41 = zero, c50 = zero, c51 = zero;

  for (; segments > 0; --segments) {
    for (let k = length; k > 0; --k) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a0);
      c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
      s = v128.load32_splat(a1);
      c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
      s = v128.load32_splat(a2);
      c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
      s = v128.load32_splat(a3);
      c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
      s = v128.load32_splat(a4);
      c40 = multiplyAdd(s, b0, c40); c41 = multiplyAdd(s, b1, c41);
      s = v128.load32_splat(a5);
      c50 = multiplyAdd(s, b0, c50); c51 = multiplyAdd(s, b1, c51);
      a0 += aStep; a1 += aStep; a2 += aStep; a3 += aStep; a4 += aStep; a5 += aStep;
      b += bStep;
    }
    a0 += aSkip; a1 += aSkip; a2 += aSkip; a3 += aSkip; a4 += aSkip; a5 += aSkip;
  }

  storeRow(c + load<u32>(cRows), c00, c01, columns, accumulate, spill);
  if (rows > 1) storeRow(c + load<u32>(cRows, 4), c10, c11, columns, accumulate, spill);
  if (rows > 2) storeRow(c + load<u32>(cRows, 8), c20, c21, columns, accumulate, spill);
  if (rows > 3) storeRow(c + load<u32>(cRows, 12), c30, c31, columns, accumulate, spill);
  if (rows > 4) storeRow(c + load<u32>(cRows, 16), c40, c41, columns, accumulate, spill);
  if (rows > 5) storeRow(c + load<u32>(cRows, 20), c50, c51, columns, accumulate, spill);
}

/** Rows of a tile of {@link packedTile}. */
export const PACKED_ROWS: i32 = 4;

/** Bytes of the private memory in which {@link packedTile} keeps its sums. */
export const PACKED_SUMS: usize = 4 * PACKED_ROWS * TILE_COLUMNS;

/**
 * One 4 x 8 tile of C (+)= A B, each element summed in the order in which `tile` does, of rows of A packed by
 * `packRows` and a panel of B packed by `packColumns`.
 *
 * @param c,cRows,rows,columns,accumulate,spill as `tile` has them, of four rows
 * @param sums PACKED_SUMS bytes of private memory
 */
export function packedTile(
  a: usize, b: usize, depth: i32,
  c: usize, cRows: usize, rows: i32, columns: i32, accumulate: bool, spill: usize, sums: usize,
): void {
  multiplyPacked(a, b, depth, sums);
  for (let i = 0; i < rows; ++i, cRows += 4, sums += 4 * TILE_COLUMNS) {
    storeRow(c + load<u32>(cRows), v128.load(sums), v128.load(sums, 16), columns, accumulate, spill);
  }
}

/**
 * The sums of one tile.
 *
 * Deno does not let V8 leave the bounds of memory to the processor, so that each load is a comparison and a branch as
 * well: four elements of A are loaded at once, and a larger tile that loads each by itself is slower. The loop is not
 * unrolled, as V8 then keeps fewer sums in registers.
 */
function multiplyPacked(a: usize, b: usize, depth: i32, sums: usize): void {
  const zero = f32x4.splat(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  for (; depth > 0; --depth, a += 4 * PACKED_ROWS, b += 4 * TILE_COLUMNS) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), four = v128.load(a);
    let s = i8x16.shuffle(four, four, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
    c00 = multiplyAdd(s, b0, c00); c01 = multiplyAdd(s, b1, c01);
    s = i8x16.shuffle(four, four, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
    c10 = multiplyAdd(s, b0, c10); c11 = multiplyAdd(s, b1, c11);
    s = i8x16.shuffle(four, four, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11);
    c20 = multiplyAdd(s, b0, c20); c21 = multiplyAdd(s, b1, c21);
    s = i8x16.shuffle(four, four, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15);
    c30 = multiplyAdd(s, b0, c30); c31 = multiplyAdd(s, b1, c31);
  }
  v128.store(sums, c00); v128.store(sums, c01, 16);
  v128.store(sums, c10, 32); v128.store(sums, c11, 48);
  v128.store(sums, c20, 64); v128.store(sums, c21, 80);
  v128.store(sums, c30, 96); v128.store(sums, c31, 112);
}

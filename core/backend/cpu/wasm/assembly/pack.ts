// Copies into scratch memory, laid out so that the tiles read it in order.

import { TILE_COLUMNS, TILE_ROWS } from "./tile";

/** Bytes of one row of a packed panel: eight columns. */
export const PANEL_ROW: usize = 4 * TILE_COLUMNS;

/** `columns` rounded up to whole panels. */
@inline
export function packedWidth(columns: i32): i32 {
  return (columns + TILE_COLUMNS - 1) & -TILE_COLUMNS;
}

/**
 * Packs a [depth, columns] matrix into panels of eight columns; the last panel is filled up with zeros.
 *
 * @param from element (0, 0); rows are `rowStep` and columns are `columnStep` bytes apart
 * @param to row 0 of the first panel; panels are `panelStep` bytes apart, their rows PANEL_ROW
 */
export function packColumns(
  from: usize, rowStep: usize, columnStep: usize, depth: i32, columns: i32, to: usize, panelStep: usize,
): void {
  for (; columns > 0; columns -= TILE_COLUMNS, from += columnStep * TILE_COLUMNS, to += panelStep) {
    if (columns >= TILE_COLUMNS && columnStep == 4) {
      packContiguous(from, rowStep, depth, to);
    } else if (columns >= TILE_COLUMNS && rowStep == 4) {
      packTurned(from, columnStep, depth, to);
    } else {
      packStrided(from, rowStep, columnStep, depth, min(columns, TILE_COLUMNS), to);
    }
  }
}

function packContiguous(from: usize, rowStep: usize, depth: i32, to: usize): void {
  for (; depth > 0; --depth, from += rowStep, to += PANEL_ROW) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
  }
}

/** Copies four rows of four numbers as columns: row i begins at `ai`, column j is written to `to + j * step`. */
@inline
function transpose(a0: usize, a1: usize, a2: usize, a3: usize, to: usize, step: usize): void {
  const r0 = v128.load(a0), r1 = v128.load(a1), r2 = v128.load(a2), r3 = v128.load(a3);
  const low01 = i8x16.shuffle(r0, r1, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const low23 = i8x16.shuffle(r2, r3, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const high01 = i8x16.shuffle(r0, r1, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  const high23 = i8x16.shuffle(r2, r3, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  v128.store(to, i8x16.shuffle(low01, low23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
  v128.store(to + step, i8x16.shuffle(low01, low23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
  v128.store(to + 2 * step, i8x16.shuffle(high01, high23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
  v128.store(to + 3 * step, i8x16.shuffle(high01, high23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
}

/** Eight columns that lie one behind the other. */
function packTurned(from: usize, columnStep: usize, depth: i32, to: usize): void {
  for (let half = 0; half < 2; ++half, from += 4 * columnStep, to += PANEL_ROW / 2) {
    let a = from, target = to, left = depth;
    for (; left >= 4; left -= 4, a += 16, target += 4 * PANEL_ROW) {
      transpose(a, a + columnStep, a + 2 * columnStep, a + 3 * columnStep, target, PANEL_ROW);
    }
    for (; left > 0; --left, a += 4, target += PANEL_ROW) {
      for (let column: usize = 0; column < 4; ++column) store<f32>(target + 4 * column, load<f32>(a + column * columnStep));
    }
  }
}

function packStrided(from: usize, rowStep: usize, columnStep: usize, depth: i32, columns: i32, to: usize): void {
  // The missing columns are computed and dropped: zeros, since what lay there before may be slow subnormal numbers.
  if (columns < TILE_COLUMNS) memory.fill(to, 0, (<usize> depth) * PANEL_ROW);
  for (; columns > 0; --columns, from += columnStep, to += 4) {
    let source = from, target = to;
    for (let k = depth; k > 0; --k, source += rowStep, target += PANEL_ROW) {
      store<f32>(target, load<f32>(source));
    }
  }
}

/**
 * Packs four rows of a matrix of the given depth, one element of each row next to the other.
 *
 * @param from base of the matrix; row i starts at `from + load(rows + 4 i)`, its elements are `step` bytes apart
 */
export function packRows(from: usize, rows: usize, step: usize, depth: i32, to: usize): void {
  let a0 = from + load<u32>(rows), a1 = from + load<u32>(rows, 4);
  let a2 = from + load<u32>(rows, 8), a3 = from + load<u32>(rows, 12);
  if (step == 4) {
    for (; depth >= 4; depth -= 4, to += 16 * TILE_ROWS, a0 += 16, a1 += 16, a2 += 16, a3 += 16) {
      transpose(a0, a1, a2, a3, to, 4 * TILE_ROWS);
    }
  } else if (a1 == a0 + 4 && a2 == a1 + 4 && a3 == a2 + 4) {
    for (; depth > 0; --depth, to += 4 * TILE_ROWS, a0 += step) v128.store(to, v128.load(a0));
  }
  for (; depth > 0; --depth, to += 4 * TILE_ROWS) {
    store<f32>(to, load<f32>(a0));
    store<f32>(to, load<f32>(a1), 4);
    store<f32>(to, load<f32>(a2), 8);
    store<f32>(to, load<f32>(a3), 12);
    a0 += step; a1 += step; a2 += step; a3 += step;
  }
}

/** Writes the offsets i * step of four rows; from `rows` on the last one again, so that reads stay in the matrix. */
export function fillRowTable(table: usize, rows: i32, step: usize): void {
  for (let i = 0; i < TILE_ROWS; ++i, table += 4) {
    store<u32>(table, <u32> (<usize> min(i, rows - 1) * step));
  }
}

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
 * Packs six rows of a matrix of the given depth, one element of each row next to the other.
 *
 * @param from base of the matrix; row i starts at `from + load(rows + 4 i)`, its elements are `step` bytes apart
 */
export function packRows(from: usize, rows: usize, step: usize, depth: i32, to: usize): void {
  let a0 = from + load<u32>(rows), a1 = from + load<u32>(rows, 4), a2 = from + load<u32>(rows, 8);
  let a3 = from + load<u32>(rows, 12), a4 = from + load<u32>(rows, 16), a5 = from + load<u32>(rows, 20);
  for (; depth > 0; --depth, to += 4 * TILE_ROWS) {
    store<f32>(to, load<f32>(a0));
    store<f32>(to, load<f32>(a1), 4);
    store<f32>(to, load<f32>(a2), 8);
    store<f32>(to, load<f32>(a3), 12);
    store<f32>(to, load<f32>(a4), 16);
    store<f32>(to, load<f32>(a5), 20);
    a0 += step; a1 += step; a2 += step; a3 += step; a4 += step; a5 += step;
  }
}

/** Writes the offsets i * step of six rows; from `rows` on the last one again, so that reads stay inside the matrix. */
export function fillRowTable(table: usize, rows: i32, step: usize): void {
  for (let i = 0; i < TILE_ROWS; ++i, table += 4) {
    store<u32>(table, <u32> (<usize> min(i, rows - 1) * step));
  }
}

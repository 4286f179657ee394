// What the three directions of convolution share: zero borders, groups of images, tables of offsets.

import { TILE_ROWS } from "./tile";

/** Bytes of images to work on at a time, so that they are still in cache when the next tile reads them. */
const GROUP_BYTES: usize = 32 << 10;

/** How many images of this size make up a group. */
@inline
export function groupSize(imageBytes: usize): i32 {
  return <i32> max(GROUP_BYTES / max(imageBytes, 1), 1);
}

/** Output positions along one axis, and 0 where the kernel is larger than the padded image. */
@inline
export function outputSize(size: i32, kernel: i32, stride: i32, padding: i32): i32 {
  return max((size + 2 * padding - kernel + stride) / stride, 0);
}

/** Bytes of a table of offsets with so many entries: filled up to whole tiles. */
@inline
export function tableBytes(entries: i32): usize {
  return (<usize> (entries + TILE_ROWS - 1) / TILE_ROWS) * (4 * TILE_ROWS);
}

/** Repeats the last entry until the table has whole tiles, so that the rows which do not exist read valid memory. */
export function fillUpTable(table: usize, entries: i32): void {
  const end = table + tableBytes(entries);
  for (let entry = table + ((<usize> entries) << 2); entry < end; entry += 4) {
    store<u32>(entry, load<u32>(entry - 4));
  }
}

/**
 * Copies `count` images of `height` rows of `rowBytes` into the middle of larger ones.
 *
 * @param to where pixel (0, 0) of the first image goes; the borders around are left as they are
 */
export function copyImages(
  from: usize, count: i32, height: i32, rowBytes: usize, to: usize, toRowBytes: usize, toImageBytes: usize,
): void {
  for (; count > 0; --count, to += toImageBytes) {
    let row = to;
    for (let y = 0; y < height; ++y, from += rowBytes, row += toRowBytes) memory.copy(row, from, rowBytes);
  }
}

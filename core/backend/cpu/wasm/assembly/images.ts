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

/** Positions of a kernel in a padded image. */
@inline
export function outputPixels(
  height: i32, width: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
): i32 {
  return outputSize(height, kernelHeight, stride, padding) * outputSize(width, kernelWidth, stride, padding);
}

/** Bytes of an image with zeros around it. */
@inline
export function paddedBytes(height: i32, width: i32, pixelBytes: usize, padding: i32): usize {
  return <usize> (height + 2 * padding) * (width + 2 * padding) * pixelBytes;
}

/** Bytes of scratch memory for a group of images with zeros around them; images without padding are read in place. */
@inline
export function paddedGroupBytes(imageBytes: usize, padding: i32): usize {
  return padding > 0 ? <usize> groupSize(imageBytes) * imageBytes : 0;
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

/**
 * `count` images with zeros around them: copies, or where there is no padding the images themselves.
 *
 * @param padded where the copies go; the zeros are there already
 */
@inline
export function paddedImages(
  from: usize, count: i32, height: i32, width: i32, pixelBytes: usize, padding: i32, padded: usize,
): usize {
  if (padding == 0) return from;
  const row = <usize> (width + 2 * padding) * pixelBytes, inside = padded + <usize> padding * (row + pixelBytes);
  const bytes = paddedBytes(height, width, pixelBytes, padding);
  copyImages(from, count, height, <usize> width * pixelBytes, inside, row, bytes);
  return padded;
}

// Images as Winograd's convolution sees them: tiles of 4 x 4 pixels of the result, tile row by tile row through all
// images.

import { By, fillFactors, linesOf, multiplySquare, PLANES, resultsOf, SIDE, SQUARE_SPILL } from "./winograd_squares";

/** Pixels of a tile along an axis. */
export const TILE: i32 = 4;

/** Bytes to work on at a time, so that they are still in cache when they are multiplied. */
const GROUP_BYTES: usize = 128 << 10;

/**
 * How many rows of `across` tiles to work on at a time, `least` tiles or more; `channels` are those of all planes
 * together.
 */
@inline
export function groupRows(across: i32, channels: i32, least: i32): i32 {
  return max(<i32> (GROUP_BYTES / (<usize> (PLANES * across * channels) << 2)), (least + across - 1) / across);
}

/** Tiles along an axis of so many pixels. */
@inline
export function tilesOf(size: i32): i32 {
  return (size + TILE - 1) / TILE;
}

/** Bytes of private memory that `takeTiles` and `putTiles` need. */
@inline
export function bandScratch(across: i32, channels: i32): usize {
  return SQUARE_SPILL + ((<usize> (SIDE * (across * TILE + SIDE - TILE) * channels)) << 2);
}

/**
 * Writes the squares of rows of tiles to planes, `[36, tiles, channels]`.
 *
 * @param by pixels, or Gradient for squares of 4 x 4
 * @param images [images, height, width, channels]
 * @param across,down tiles of an image; its squares begin `padding` pixels before the tiles
 * @param rowBegin,rowEnd rows of tiles, counted through all images
 * @param scratch bandScratch bytes of private memory
 */
@inline
export function takeTiles(
  by: By, images: usize, height: i32, width: i32, channels: i32, down: i32, across: i32, padding: i32,
  rowBegin: i32, rowEnd: i32, planes: usize, planeStep: usize, scratch: usize,
): void {
  const size = linesOf(by), pixel = <usize> channels << 2, imageRow = <usize> width * pixel;
  const columns = across * TILE + size - TILE, bandRow = <usize> columns * pixel, band = scratch + SQUARE_SPILL;
  const fits = padding == 0 && columns <= width, inside = band + <usize> padding * pixel;
  const copied = <usize> min(width, columns - padding) * pixel;
  fillFactors(by, scratch);
  if (!fits) memory.fill(band, 0, <usize> size * bandRow);
  for (let row = rowBegin; row < rowEnd; ++row) {
    const image = images + <usize> (row / down * height) * imageRow, top = row % down * TILE - padding;
    let from = image + <usize> top * imageRow, rowStep = imageRow;
    if (!fits || top + size > height) {
      // The border's columns stay zero, its rows change places.
      for (let y = 0; y < size; ++y) {
        const to = inside + <usize> y * bandRow, source = top + y;
        if (source < 0 || source >= height) memory.fill(to, 0, copied);
        else memory.copy(to, image + <usize> source * imageRow, copied);
      }
      from = band; rowStep = bandRow;
    }
    for (let column = 0; column < across; ++column, planes += pixel, from += <usize> TILE * pixel) {
      multiplySquare(by, from, rowStep, pixel, planes, <usize> SIDE * planeStep, planeStep, channels >> 2, scratch);
    }
  }
}

/** The reverse: planes to rows of tiles of images; what reaches over the edge is dropped. */
export function putTiles(
  planes: usize, planeStep: usize, images: usize, height: i32, width: i32, channels: i32, down: i32, across: i32,
  rowBegin: i32, rowEnd: i32, scratch: usize,
): void {
  const pixel = <usize> channels << 2, imageRow = <usize> width * pixel, band = scratch + SQUARE_SPILL;
  const bandRow = <usize> (across * TILE) * pixel;
  fillFactors(By.Result, scratch);
  for (let row = rowBegin; row < rowEnd; ++row) {
    const top = row % down * TILE, image = images + <usize> (row / down * height + top) * imageRow;
    const partial = bandRow != imageRow || top + TILE > height;
    let to = partial ? band : image;
    for (let column = 0; column < across; ++column, planes += pixel, to += <usize> TILE * pixel) {
      multiplySquare(
        By.Result, planes, <usize> SIDE * planeStep, planeStep, to, bandRow, pixel, channels >> 2, scratch,
      );
    }
    if (!partial) continue;
    for (let y: usize = 0, end = <usize> min(TILE, height - top); y < end; ++y) {
      memory.copy(image + y * imageRow, band + y * bandRow, imageRow);
    }
  }
}

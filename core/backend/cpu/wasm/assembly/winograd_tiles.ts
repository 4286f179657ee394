// Images as Winograd's convolution sees them: tiles of 4 x 4 pixels of the result, tile row by tile row through all
// images.

import { By, linesOf, multiplySquare, PLANES, resultsOf, SIDE } from "./winograd_squares";

/** Pixels of a tile along an axis. */
export const TILE: i32 = 4;

/** Bytes to work on at a time, so that they are still in cache when they are multiplied. */
const GROUP_BYTES: usize = 128 << 10;

/** How many rows of `across` tiles to work on at a time; `channels` are those of all planes together. */
@inline
export function groupRows(across: i32, channels: i32): i32 {
  return <i32> max(GROUP_BYTES / (<usize> (PLANES * across * channels) << 2), 1);
}

/** Tiles along an axis of so many pixels. */
@inline
export function tilesOf(size: i32): i32 {
  return (size + TILE - 1) / TILE;
}

/** Bytes of a copy of a square of pixels. */
@inline
export function patchBytes(channels: i32): usize {
  return <usize> (SIDE * SIDE * channels) << 2;
}

/**
 * Writes the squares of rows of tiles to planes, `[36, tiles, channels]`.
 *
 * @param by pixels, or Gradient for squares of 4 x 4
 * @param images [images, height, width, channels]
 * @param across,down tiles of an image; its squares begin `padding` pixels before the tiles
 * @param rowBegin,rowEnd rows of tiles, counted through all images
 * @param patch patchBytes of private memory, followed by SQUARE_SPILL
 */
@inline
export function takeTiles(
  by: By, images: usize, height: i32, width: i32, channels: i32, down: i32, across: i32, padding: i32,
  rowBegin: i32, rowEnd: i32, planes: usize, planeStep: usize, patch: usize,
): void {
  const size = linesOf(by), pixel = <usize> channels << 2, spill = patch + patchBytes(channels);
  for (let row = rowBegin; row < rowEnd; ++row) {
    const image = images + <usize> (row / down * height * width) * pixel, top = row % down * TILE - padding;
    for (let column = 0; column < across; ++column, planes += pixel) {
      const left = column * TILE - padding;
      let from = image + <usize> (top * width + left) * pixel, rowStep = <usize> width * pixel;
      if (top < 0 || left < 0 || top + size > height || left + size > width) {
        memory.fill(patch, 0, <usize> (size * size) * pixel);
        copyInside(image, height, width, pixel, top, left, size, patch, false);
        from = patch; rowStep = <usize> size * pixel;
      }
      multiplySquare(by, from, rowStep, pixel, planes, <usize> SIDE * planeStep, planeStep, channels >> 2, spill);
    }
  }
}

/** The reverse: planes to rows of tiles of images; what reaches over the edge is dropped. */
export function putTiles(
  planes: usize, planeStep: usize, images: usize, height: i32, width: i32, channels: i32, down: i32, across: i32,
  rowBegin: i32, rowEnd: i32, patch: usize,
): void {
  const pixel = <usize> channels << 2, spill = patch + patchBytes(channels), size = resultsOf(By.Result);
  for (let row = rowBegin; row < rowEnd; ++row) {
    const image = images + <usize> (row / down * height * width) * pixel, top = row % down * TILE;
    for (let column = 0; column < across; ++column, planes += pixel) {
      const left = column * TILE, partial = top + size > height || left + size > width;
      const to = partial ? patch : image + <usize> (top * width + left) * pixel;
      const rowStep = <usize> (partial ? size : width) * pixel;
      multiplySquare(By.Result, planes, <usize> SIDE * planeStep, planeStep, to, rowStep, pixel, channels >> 2, spill);
      if (partial) copyInside(image, height, width, pixel, top, left, size, patch, true);
    }
  }
}

/** Copies what a square has inside of the image to a patch, or back. */
function copyInside(
  image: usize, height: i32, width: i32, pixel: usize, top: i32, left: i32, size: i32, patch: usize, back: bool,
): void {
  const first = max(-left, 0), bytes = <usize> max(min(size, width - left) - first, 0) * pixel;
  for (let y = max(-top, 0), end = min(size, height - top); y < end; ++y) {
    const inImage = image + <usize> ((top + y) * width + left + first) * pixel;
    const inPatch = patch + <usize> (y * size + first) * pixel;
    if (back) memory.copy(inImage, inPatch, bytes); else memory.copy(inPatch, inImage, bytes);
  }
}

// Convolution of 3 x 3 taps and stride 1 with a quarter of the multiplications (Winograd's algorithm F(4 x 4, 3 x 3)):
// squares of pixels and of taps become 36 planes of numbers, which are multiplied plane by plane.

import { channelAffine } from "./channel_affine";
import { fillUpTable, tableBytes } from "./images";
import { PANEL_ROW } from "./pack";
import { tile, TILE_COLUMNS, TILE_ROWS, TILE_SUMS } from "./tile";
import { By, fillFactors, multiplySquare, PLANES, SIDE } from "./winograd_squares";
import { bandScratch, groupRows, putTiles, takeTiles, TILE, tilesOf } from "./winograd_tiles";

/** Channels from which on the products weigh more than the planes around them. */
const FEWEST_CHANNELS: i32 = 16;

/** The fewest tiles of a group, or its planes of taps are read too often for them. */
const FEWEST_TILES: i32 = 24;

/** The same of the gradient, which adds each group's sums to planes in memory. */
const FEWEST_TILES_OF_GRADIENT: i32 = 48;

/** Whether a convolution is of this kind, with channels in whole panels. */
@inline
export function suitsWinograd(
  inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
): bool {
  return kernelHeight == 3 && kernelWidth == 3 && stride == 1 && padding <= 2 &&
    inputs % TILE_COLUMNS == 0 && outputs % TILE_COLUMNS == 0 && min(inputs, outputs) >= FEWEST_CHANNELS;
}

/** Bytes of 36 planes of numbers. */
@inline
function planesBytes(rows: i32, columns: i32): usize {
  return <usize> (PLANES * rows * columns) << 2;
}

/** Bytes of scratch memory that `correlate` and `correlationGradient` need for results of this width. */
export function winogradScratch(width: i32, from: i32, to: i32): usize {
  const across = tilesOf(width), group = groupRows(across, from + to, FEWEST_TILES_OF_GRADIENT) * across;
  return TILE_SUMS + 2 * tableBytes(max(group, from)) + bandScratch(across, max(from, to)) +
    planesBytes(from, to) + planesBytes(group, from + to) + (<usize> (9 * from * to) << 2);
}

/** Offsets of rows that are `step` bytes apart. */
function fillTable(table: usize, rows: i32, step: usize): void {
  for (let i = 0; i < rows; ++i) store<u32>(table + (<usize> i << 2), <u32> (<usize> i * step));
  fillUpTable(table, rows);
}

/** The pixels in front of a row of tiles, both counted through all images. */
@inline
function pixelsBefore(row: i32, down: i32, height: i32, width: i32): i32 {
  return (row / down * height + row % down * TILE) * width;
}

/** Turns a filter by half a circle and exchanges its channels: [3, 3, to, from] to [3, 3, from, to]. */
function turn(filter: usize, from: i32, to: i32, turned: usize): void {
  const tapBytes = <usize> (from * to) << 2;
  for (let tap: usize = 0; tap < 9; ++tap) {
    let target = turned + (8 - tap) * tapBytes;
    for (let f = 0; f < from; ++f) {
      let source = filter + tap * tapBytes + (<usize> f << 2);
      for (let t = 0; t < to; ++t, target += 4, source += <usize> from << 2) store<f32>(target, load<f32>(source));
    }
  }
}

/**
 * The convolution of images with a filter; unless `scale` is 0, what `channelAffine` makes of it.
 *
 * @param x [images, height, width, from]
 * @param filter [3, 3, from, to], or with `turned` [3, 3, to, from] to be turned: then this is the gradient of the
 * input
 * @param y [images, outHeight, outWidth, to]
 */
export function correlate(
  x: usize, filter: usize, y: usize, scale: usize, shift: usize, added: usize, activation: i32,
  height: i32, width: i32, from: i32, to: i32, outHeight: i32, outWidth: i32,
  padding: i32, turned: bool, scratch: usize, imageBegin: i32, imageEnd: i32,
): void {
  const down = tilesOf(outHeight), across = tilesOf(outWidth);
  const group = groupRows(across, from + to, FEWEST_TILES), rowsAtOnce = group * across;
  const sums = scratch, fromTable = sums + TILE_SUMS, toTable = fromTable + tableBytes(max(rowsAtOnce, from));
  const band = toTable + tableBytes(max(rowsAtOnce, from)), panels = band + bandScratch(across, max(from, to));
  const points = panels + planesBytes(from, to), products = points + planesBytes(rowsAtOnce, from);
  if (turned) {
    turn(filter, from, to, products + planesBytes(rowsAtOnce, to));
    filter = products + planesBytes(rowsAtOnce, to);
  }
  const row = <usize> to << 2, panelStep = <usize> from * PANEL_ROW, panelPlane = <usize> from * row;
  fillFactors(By.Filter, band);
  for (let f: usize = 0; f < <usize> from; ++f) {
    for (let column: usize = 0; column < row; column += PANEL_ROW) {
      multiplySquare(
        By.Filter, filter + f * row + column, 3 * panelPlane, panelPlane,
        panels + column / PANEL_ROW * panelStep + f * PANEL_ROW, <usize> SIDE * panelPlane, panelPlane,
        TILE_COLUMNS >> 2, band,
      );
    }
  }
  fillTable(fromTable, rowsAtOnce, <usize> from << 2);
  fillTable(toTable, rowsAtOnce, row);

  const end = imageEnd * down;
  for (let begin = imageBegin * down; begin < end; begin += group) {
    const last = min(begin + group, end), tiles = (last - begin) * across;
    const fromPlane = <usize> (tiles * from) << 2, toPlane = <usize> (tiles * to) << 2;
    takeTiles(By.Pixels, x, height, width, from, down, across, padding, begin, last, points, fromPlane, band);
    for (let plane: usize = 0; plane < <usize> PLANES; ++plane) {
      let panel = panels + plane * panelPlane;
      for (let column: usize = 0; column < row; column += PANEL_ROW, panel += panelStep) {
        for (let i = 0; i < tiles; i += TILE_ROWS) {
          const entry: usize = <usize> i << 2;
          tile(
            points + plane * fromPlane, fromTable + entry, 1, from, 4, 0, panel, PANEL_ROW,
            products + plane * toPlane + column, toTable + entry, min(tiles - i, TILE_ROWS), TILE_COLUMNS, false, sums,
          );
        }
      }
    }
    putTiles(products, toPlane, y, outHeight, outWidth, to, down, across, begin, last, band);
    if (scale) {
      const first = pixelsBefore(begin, down, outHeight, outWidth), after = pixelsBefore(last, down, outHeight, outWidth);
      channelAffine(y, scale, shift, added, y, to, activation, first, after);
    }
  }
}

/**
 * Adds the gradient of the filter to dfilter [3, 3, from, to].
 *
 * @param x [images, height, width, from]
 * @param dy [images, outHeight, outWidth, to]
 */
export function correlationGradient(
  x: usize, dy: usize, dfilter: usize, height: i32, width: i32, from: i32, to: i32, outHeight: i32, outWidth: i32,
  padding: i32, scratch: usize, imageBegin: i32, imageEnd: i32,
): void {
  const down = tilesOf(outHeight), across = tilesOf(outWidth);
  const group = groupRows(across, from + to, FEWEST_TILES_OF_GRADIENT), rowsAtOnce = group * across;
  const sums = scratch, fromTable = sums + TILE_SUMS, toTable = fromTable + tableBytes(max(rowsAtOnce, from));
  const band = toTable + tableBytes(max(rowsAtOnce, from)), squares = band + bandScratch(across, max(from, to));
  const points = squares + planesBytes(from, to), factors = points + planesBytes(rowsAtOnce, from);
  const row = <usize> to << 2, plane = <usize> from * row;
  memory.fill(squares, 0, planesBytes(from, to));
  fillTable(fromTable, from, 4);
  fillTable(toTable, from, row);

  const end = imageEnd * down;
  for (let begin = imageBegin * down; begin < end; begin += group) {
    const last = min(begin + group, end), tiles = (last - begin) * across;
    const fromPlane = <usize> (tiles * from) << 2, toPlane = <usize> (tiles * to) << 2;
    takeTiles(By.Pixels, x, height, width, from, down, across, padding, begin, last, points, fromPlane, band);
    takeTiles(By.Gradient, dy, outHeight, outWidth, to, down, across, 0, begin, last, factors, toPlane, band);
    for (let index: usize = 0; index < <usize> PLANES; ++index) {
      for (let column: usize = 0; column < row; column += PANEL_ROW) {
        for (let f = 0; f < from; f += TILE_ROWS) {
          const entry: usize = <usize> f << 2;
          tile(
            points + index * fromPlane, fromTable + entry, 1, tiles, <usize> from << 2, 0,
            factors + index * toPlane + column, row,
            squares + index * plane + column, toTable + entry, min(from - f, TILE_ROWS), TILE_COLUMNS, true, sums,
          );
        }
      }
    }
  }
  // The planes of points are free now: the gradient goes there first, since `dfilter` is added to.
  fillFactors(By.FilterGradient, band);
  multiplySquare(
    By.FilterGradient, squares, <usize> SIDE * plane, plane, points, 3 * plane, plane, (from * to) >> 2, band,
  );
  for (let at: usize = 0; at < 9 * plane; at += 16) {
    v128.store(dfilter + at, f32x4.add(v128.load(dfilter + at), v128.load(points + at)));
  }
}

// Multiplications and additions with one number per channel over [rows, channels]: batch normalisation, its gradient.

import { blockRows } from "./channel_sums";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./simd";

/** y = x * scale[c] + shift[c] for the rows from `rowBegin` to `rowEnd`, then with `relu` max(y, 0); y may be x. */
export function channelAffine(
  x: usize, scale: usize, shift: usize, y: usize, channels: i32, relu: bool, rowBegin: i32, rowEnd: i32,
): void {
  const row = <usize> channels << 2, block = blockRows(channels);
  for (let begin = rowBegin; begin < rowEnd; begin += block) {
    const rows = min(block, rowEnd - begin), offset = <usize> begin * row;
    let c: usize = 0;
    for (; c + 16 <= row; c += 16) affine(true, x + offset + c, scale + c, shift + c, y + offset + c, row, rows, relu);
    for (; c < row; c += 4) affine(false, x + offset + c, scale + c, shift + c, y + offset + c, row, rows, relu);
  }
}

@inline
function affine(
  wide: bool, x: usize, scale: usize, shift: usize, y: usize, step: usize, rows: i32, relu: bool,
): void {
  const s = loadLanes(scale, wide), t = loadLanes(shift, wide);
  // Without relu the floor is one that nothing is below, so one loop serves both; a NaN stays a NaN.
  const floor = f32x4.splat(relu ? 0 : -Infinity);
  for (; rows > 0; --rows, x += step, y += step) {
    storeLanes(y, f32x4.max(multiplyAdd(loadLanes(x, wide), s, t), floor), wide);
  }
}

/** dx = gradient * factor[c] + x * slope[c] + shift[c] for the rows from `rowBegin` to `rowEnd`; dx may be an input. */
export function channelGradient(
  x: usize, gradient: usize, factor: usize, slope: usize, shift: usize, dx: usize,
  channels: i32, rowBegin: i32, rowEnd: i32,
): void {
  const row = <usize> channels << 2, block = blockRows(channels);
  for (let begin = rowBegin; begin < rowEnd; begin += block) {
    const rows = min(block, rowEnd - begin), at = <usize> begin * row;
    let c: usize = 0;
    for (; c + 16 <= row; c += 16) {
      combine(true, x + at + c, gradient + at + c, factor + c, slope + c, shift + c, dx + at + c, row, rows);
    }
    for (; c < row; c += 4) {
      combine(false, x + at + c, gradient + at + c, factor + c, slope + c, shift + c, dx + at + c, row, rows);
    }
  }
}

@inline
function combine(
  wide: bool, x: usize, gradient: usize, factor: usize, slope: usize, shift: usize, dx: usize, step: usize, rows: i32,
): void {
  const f = loadLanes(factor, wide), s = loadLanes(slope, wide), t = loadLanes(shift, wide);
  for (; rows > 0; --rows, x += step, gradient += step, dx += step) {
    const value = multiplyAdd(loadLanes(x, wide), s, t);
    storeLanes(dx, multiplyAdd(loadLanes(gradient, wide), f, value), wide);
  }
}

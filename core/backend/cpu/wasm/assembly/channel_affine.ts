// Multiplications and additions with one number per channel over [rows, channels]: batch normalisation, its gradient.

import { blockRows } from "./channel_sums";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./simd";

/**
 * y = x * scale[c] + shift[c] for the rows from `rowBegin` to `rowEnd`, plus `added` unless that is 0, then with an
 * `activation` of 1 max(y, 0), of 2 min(max(y, 0), 6); y may be x.
 */
export function channelAffine(
  x: usize, scale: usize, shift: usize, added: usize, y: usize, channels: i32, activation: i32, rowBegin: i32, rowEnd: i32,
): void {
  const row = <usize> channels << 2, block = blockRows(channels);
  for (let begin = rowBegin; begin < rowEnd; begin += block) {
    const rows = min(block, rowEnd - begin), offset = <usize> begin * row, more = added ? added + offset : 0;
    let c: usize = 0;
    for (; c + 16 <= row; c += 16) {
      affine(true, x + offset + c, scale + c, shift + c, more ? more + c : 0, y + offset + c, row, rows, activation);
    }
    for (; c < row; c += 4) {
      affine(false, x + offset + c, scale + c, shift + c, more ? more + c : 0, y + offset + c, row, rows, activation);
    }
  }
}

@inline
function affine(
  wide: bool, x: usize, scale: usize, shift: usize, added: usize, y: usize, step: usize, rows: i32, activation: i32,
): void {
  const s = loadLanes(scale, wide), t = loadLanes(shift, wide);
  // Where all numbers may be, no bound is one that holds them, so one loop serves all. A pseudo-minimum is one
  // instruction, and the first operand where that is NaN; `f32x4.min` is seven.
  const bounded = i32x4.splat(activation ? -1 : 0), ceiling = f32x4.splat(activation == 2 ? 6 : Infinity);
  if (added) {
    for (; rows > 0; --rows, x += step, added += step, y += step) {
      const value = f32x4.add(multiplyAdd(loadLanes(x, wide), s, t), loadLanes(added, wide));
      storeLanes(y, f32x4.pmin(above(value, bounded), ceiling), wide);
    }
  } else {
    for (; rows > 0; --rows, x += step, y += step) {
      const value = multiplyAdd(loadLanes(x, wide), s, t);
      storeLanes(y, f32x4.pmin(above(value, bounded), ceiling), wide);
    }
  }
}

/** max(x, 0) where all bits of `bounded` are set, else x; NaN stays NaN. */
@inline
function above(x: v128, bounded: v128): v128 {
  return v128.andnot(x, v128.and(f32x4.le(x, f32x4.splat(0)), bounded));
}

/**
 * dx = factor[c] * gradient + slope[c] * (x - mean[c]) + offset[c] for the rows from `rowBegin` to `rowEnd`; dx may be
 * an input.
 *
 * @param coefficients [4, channels]: factor, mean, slope, offset
 */
export function channelGradient(
  x: usize, gradient: usize, coefficients: usize, dx: usize, channels: i32, rowBegin: i32, rowEnd: i32,
): void {
  const row = <usize> channels << 2, block = blockRows(channels);
  for (let begin = rowBegin; begin < rowEnd; begin += block) {
    const rows = min(block, rowEnd - begin), at = <usize> begin * row;
    let c: usize = 0;
    for (; c + 16 <= row; c += 16) combine(true, x + at + c, gradient + at + c, coefficients + c, dx + at + c, row, rows);
    for (; c < row; c += 4) combine(false, x + at + c, gradient + at + c, coefficients + c, dx + at + c, row, rows);
  }
}

@inline
function combine(
  wide: bool, x: usize, gradient: usize, coefficients: usize, dx: usize, row: usize, rows: i32,
): void {
  const factor = loadLanes(coefficients, wide), mean = loadLanes(coefficients + row, wide);
  const slope = loadLanes(coefficients + 2 * row, wide), offset = loadLanes(coefficients + 3 * row, wide);
  for (; rows > 0; --rows, x += row, gradient += row, dx += row) {
    const value = multiplyAdd(f32x4.sub(loadLanes(x, wide), mean), slope, offset);
    storeLanes(dx, multiplyAdd(loadLanes(gradient, wide), factor, value), wide);
  }
}

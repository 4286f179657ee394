// Softmax over the last dimension of [rows, columns], with or without a mask, and its gradient.

import { exponential } from "./exponential";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./simd";

/** The sum of the four lanes. */
@inline
function total(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** The largest of the four lanes. */
@inline
function largest(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** All bits in the first lane. */
@inline
function firstLane(): v128 {
  return i32x4(-1, 0, 0, 0);
}

/** All bits where a number counts: all, or where the mask is not 0. */
@inline
function seenLanes(mask: usize, masked: bool, wide: bool): v128 {
  if (masked) return f32x4.ne(loadLanes(mask, wide), f32x4.splat(0));
  return wide ? i32x4.splat(-1) : firstLane();
}

/**
 * y = softmax of x for the rows from `begin` to `end`. With `masked`, columns where the mask is 0 are left out: the
 * mask is [rows / rowsPerMask, columns]. y may be x.
 */
export function softmax(
  x: usize, mask: usize, y: usize, columns: i32, rowsPerMask: i32, masked: bool, begin: i32, end: i32,
): void {
  const bytes = <usize> columns << 2;
  for (let row = begin; row < end; row++) {
    const at = <usize> row * bytes, maskAt = mask + <usize> (row / rowsPerMask) * bytes;
    if (masked) softmaxRow(true, x + at, maskAt, y + at, bytes);
    else softmaxRow(false, x + at, maskAt, y + at, bytes);
  }
}

@inline
function softmaxRow(masked: bool, x: usize, mask: usize, y: usize, bytes: usize): void {
  const vectors = bytes >> 4 << 4, least = f32x4.splat(-Infinity);
  let most = least;
  for (let c: usize = 0; c < vectors; c += 16) most = f32x4.pmax(most, seenOr(least, masked, true, x + c, mask + c));
  for (let c = vectors; c < bytes; c += 4) most = f32x4.pmax(most, seenOr(least, masked, false, x + c, mask + c));
  const shift = f32x4.splat(largest(most));
  let sum = f32x4.splat(0);
  for (let c: usize = 0; c < vectors; c += 16) {
    sum = f32x4.add(sum, exponentials(masked, true, x + c, mask + c, y + c, shift));
  }
  for (let c = vectors; c < bytes; c += 4) {
    sum = f32x4.add(sum, exponentials(masked, false, x + c, mask + c, y + c, shift));
  }
  const all = total(sum);
  // Nothing is seen: all are 0 already.
  const scale = f32x4.splat(all == 0 ? 0 : 1 / all);
  for (let c: usize = 0; c < vectors; c += 16) storeLanes(y + c, f32x4.mul(loadLanes(y + c, true), scale), true);
  for (let c = vectors; c < bytes; c += 4) storeLanes(y + c, f32x4.mul(loadLanes(y + c, false), scale), false);
}

/** x where it counts, else another number. */
@inline
function seenOr(other: v128, masked: bool, wide: bool, x: usize, mask: usize): v128 {
  return v128.bitselect(loadLanes(x, wide), other, seenLanes(mask, masked, wide));
}

/** Stores e^(x - shift), 0 where it does not count, and returns it for the sum. */
@inline
function exponentials(masked: bool, wide: bool, x: usize, mask: usize, y: usize, shift: v128): v128 {
  const value = v128.and(exponential(f32x4.sub(loadLanes(x, wide), shift)), seenLanes(mask, masked, wide));
  storeLanes(y, value, wide);
  return value;
}

/** dx = y (gradient - sum of gradient y) for the rows from `begin` to `end`; dx may be an input. */
export function softmaxGradient(y: usize, gradient: usize, dx: usize, columns: i32, begin: i32, end: i32): void {
  const bytes = <usize> columns << 2, vectors = bytes >> 4 << 4;
  for (let row = begin; row < end; row++) {
    const at = <usize> row * bytes, ys = y + at, gs = gradient + at, ds = dx + at;
    let sum = f32x4.splat(0);
    for (let c: usize = 0; c < vectors; c += 16) sum = multiplyAdd(v128.load(ys + c), v128.load(gs + c), sum);
    for (let c = vectors; c < bytes; c += 4) sum = multiplyAdd(loadLanes(ys + c, false), loadLanes(gs + c, false), sum);
    const dot = f32x4.splat(total(sum));
    for (let c: usize = 0; c < vectors; c += 16) {
      storeLanes(ds + c, f32x4.mul(v128.load(ys + c), f32x4.sub(v128.load(gs + c), dot)), true);
    }
    for (let c = vectors; c < bytes; c += 4) {
      const difference = f32x4.sub(loadLanes(gs + c, false), dot);
      storeLanes(ds + c, f32x4.mul(loadLanes(ys + c, false), difference), false);
    }
  }
}

// SiLU, x times its sigmoid, and its gradient.

import { exponential } from "./exponential";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./simd";

/** y = x / (1 + e^-x) for the elements from `begin` to `end`; y may be x. */
export function silu(x: usize, y: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) siluLanes(true, x + at, y + at);
  for (const all = <usize> end << 2; at < all; at += 4) siluLanes(false, x + at, y + at);
}

/** 1 / (1 + e^-x) */
@inline
function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}

@inline
function siluLanes(wide: bool, x: usize, y: usize): void {
  const value = loadLanes(x, wide);
  storeLanes(y, f32x4.mul(value, sigmoid(value)), wide);
}

/**
 * dx = gradient s (1 + x (1 - s)) with the sigmoid s of x, for the elements from `begin` to `end`; dx may be an input.
 */
export function siluGradient(x: usize, gradient: usize, dx: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    siluGradientLanes(true, x + at, gradient + at, dx + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) siluGradientLanes(false, x + at, gradient + at, dx + at);
}

@inline
function siluGradientLanes(wide: bool, x: usize, gradient: usize, dx: usize): void {
  const value = loadLanes(x, wide), s = sigmoid(value), one = f32x4.splat(1);
  const slope = f32x4.mul(s, multiplyAdd(value, f32x4.sub(one, s), one));
  storeLanes(dx, f32x4.mul(loadLanes(gradient, wide), slope), wide);
}

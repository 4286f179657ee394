// GELU, x Phi(x) with the distribution function Phi of the normal distribution, and its gradient.

import { four } from "./constants";
import { errorFunction, exponential } from "./exponential";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./simd";

let HALF = four(0.5), MINUS_HALF = four(-0.5);

/** 1 / sqrt 2, and 1 / sqrt(2 pi). */
let ROOT = four(0.70710678), BELL = four(0.39894228);

/** y = x / 2 (1 + erf(x / sqrt 2)) for the elements from `begin` to `end`; y may be x. */
export function gelu(x: usize, y: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) geluLanes(true, x + at, y + at);
  for (const all = <usize> end << 2; at < all; at += 4) geluLanes(false, x + at, y + at);
}

/** Phi(x) */
@inline
function distribution(x: v128): v128 {
  return multiplyAdd(errorFunction(f32x4.mul(x, ROOT)), HALF, HALF);
}

@inline
function geluLanes(wide: bool, x: usize, y: usize): void {
  const value = loadLanes(x, wide);
  storeLanes(y, f32x4.mul(value, distribution(value)), wide);
}

/** dx = gradient (Phi(x) + x phi(x)) for the elements from `begin` to `end`; dx may be an input. */
export function geluGradient(x: usize, gradient: usize, dx: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    geluGradientLanes(true, x + at, gradient + at, dx + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) geluGradientLanes(false, x + at, gradient + at, dx + at);
}

@inline
function geluGradientLanes(wide: bool, x: usize, gradient: usize, dx: usize): void {
  const value = loadLanes(x, wide);
  const bell = exponential(f32x4.mul(f32x4.mul(value, value), MINUS_HALF));
  const slope = multiplyAdd(f32x4.mul(value, BELL), bell, distribution(value));
  storeLanes(dx, f32x4.mul(loadLanes(gradient, wide), slope), wide);
}

// The elementwise steps of a residual network between convolution and batch normalisation. The output may be an input.

import { loadLanes, storeLanes } from "./lanes";

/** y = max(x, 0) for the elements from `begin` to `end`. */
export function relu(x: usize, y: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) reluLanes(true, x + at, y + at);
  for (const all = <usize> end << 2; at < all; at += 4) reluLanes(false, x + at, y + at);
}

@inline
function reluLanes(wide: bool, x: usize, y: usize): void {
  storeLanes(y, f32x4.max(loadLanes(x, wide), f32x4.splat(0)), wide);
}

/** dx = gradient where x > 0, else 0, for the elements from `begin` to `end`. */
export function reluGradient(x: usize, gradient: usize, dx: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    reluGradientLanes(true, x + at, gradient + at, dx + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) reluGradientLanes(false, x + at, gradient + at, dx + at);
}

@inline
function reluGradientLanes(wide: bool, x: usize, gradient: usize, dx: usize): void {
  const positive = f32x4.gt(loadLanes(x, wide), f32x4.splat(0));
  storeLanes(dx, v128.and(loadLanes(gradient, wide), positive), wide);
}

/** c = a + b for the elements from `begin` to `end`. */
export function add(a: usize, b: usize, c: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    addLanes(true, a + at, b + at, c + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) addLanes(false, a + at, b + at, c + at);
}

@inline
function addLanes(wide: bool, a: usize, b: usize, c: usize): void {
  storeLanes(c, f32x4.add(loadLanes(a, wide), loadLanes(b, wide)), wide);
}

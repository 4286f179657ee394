// The elementwise steps of networks of images around convolution and batch normalisation. The output may be an input.

import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd, positive } from "./simd";

/** y = max(x, 0) for the elements from `begin` to `end`. */
export function relu(x: usize, y: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) reluLanes(true, x + at, y + at);
  for (const all = <usize> end << 2; at < all; at += 4) reluLanes(false, x + at, y + at);
}

@inline
function reluLanes(wide: bool, x: usize, y: usize): void {
  storeLanes(y, positive(loadLanes(x, wide)), wide);
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

/** y = min(max(x, 0), 6) for the elements from `begin` to `end`. */
export function relu6(x: usize, y: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    relu6Lanes(true, x + at, y + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) relu6Lanes(false, x + at, y + at);
}

@inline
function relu6Lanes(wide: bool, x: usize, y: usize): void {
  storeLanes(y, f32x4.pmin(positive(loadLanes(x, wide)), f32x4.splat(6)), wide);
}

/** dx = gradient where 0 < x < 6, else 0, for the elements from `begin` to `end`. */
export function relu6Gradient(x: usize, gradient: usize, dx: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    relu6GradientLanes(true, x + at, gradient + at, dx + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) relu6GradientLanes(false, x + at, gradient + at, dx + at);
}

@inline
function relu6GradientLanes(wide: bool, x: usize, gradient: usize, dx: usize): void {
  const value = loadLanes(x, wide);
  const inside = v128.and(f32x4.gt(value, f32x4.splat(0)), f32x4.lt(value, f32x4.splat(6)));
  storeLanes(dx, v128.and(loadLanes(gradient, wide), inside), wide);
}

/** y = x min(max(x / 6 + 1 / 2, 0), 1) for the elements from `begin` to `end`. */
export function hardSwish(x: usize, y: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    hardSwishLanes(true, x + at, y + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) hardSwishLanes(false, x + at, y + at);
}

@inline
function hardSwishLanes(wide: bool, x: usize, y: usize): void {
  const value = loadLanes(x, wide), one = f32x4.splat(1);
  const gate = multiplyAdd(value, f32x4.splat(0.16666667), f32x4.splat(0.5));
  storeLanes(y, f32x4.mul(value, f32x4.pmin(positive(gate), one)), wide);
}

/** dx = 0 up to -3, gradient from 3 on, gradient (x / 3 + 1 / 2) between, for the elements from `begin` to `end`. */
export function hardSwishGradient(x: usize, gradient: usize, dx: usize, begin: i32, end: i32): void {
  let at = <usize> begin << 2;
  for (const vectors = at + (<usize> (end - begin) >> 2 << 4); at < vectors; at += 16) {
    hardSwishGradientLanes(true, x + at, gradient + at, dx + at);
  }
  for (const all = <usize> end << 2; at < all; at += 4) hardSwishGradientLanes(false, x + at, gradient + at, dx + at);
}

@inline
function hardSwishGradientLanes(wide: bool, x: usize, gradient: usize, dx: usize): void {
  const value = loadLanes(x, wide), one = f32x4.splat(1);
  const inside = multiplyAdd(value, f32x4.splat(0.33333334), f32x4.splat(0.5));
  const above = v128.bitselect(one, inside, f32x4.ge(value, f32x4.splat(3)));
  const product = f32x4.mul(loadLanes(gradient, wide), above);
  storeLanes(dx, v128.andnot(product, f32x4.le(value, f32x4.splat(-3))), wide);
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

/** x[r, c] += row[c] for the rows of x [rows, columns] from `begin` to `end`. */
export function addRow(x: usize, row: usize, columns: i32, begin: i32, end: i32): void {
  const bytes = <usize> columns << 2, vectors = bytes & ~15;
  let at = x + <usize> begin * bytes;
  for (let r = begin; r < end; ++r, at += bytes) {
    let i: usize = 0;
    for (; i < vectors; i += 16) v128.store(at + i, f32x4.add(v128.load(at + i), v128.load(row + i)));
    for (; i < bytes; i += 4) store<f32>(at + i, load<f32>(at + i) + load<f32>(row + i));
  }
}

// Layer norm over the last dimension of [rows, columns], and its gradients.

import { blockRows } from "./channel_sums";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./simd";

/** The sum of the four lanes. */
@inline
function total(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** `lanes` of which only those that are there count: all four, or the first. */
@inline
function there(lanes: v128, wide: bool): v128 {
  return wide ? lanes : v128.and(lanes, i32x4(-1, 0, 0, 0));
}

/**
 * y = (x - mean) scale weight + bias for the rows from `begin` to `end`; mean [rows] and scale [rows] are kept. Threads
 * are handed 32-bit integers: epsilon comes as its bits.
 */
export function layerNorm(
  x: usize, weight: usize, bias: usize, y: usize, mean: usize, scale: usize,
  columns: i32, epsilonBits: i32, begin: i32, end: i32,
): void {
  const bytes = <usize> columns << 2, vectors = bytes >> 4 << 4, count = <f32> columns;
  const epsilon = reinterpret<f32>(epsilonBits);
  for (let row = begin; row < end; row++) {
    const xs = x + <usize> row * bytes, ys = y + <usize> row * bytes;
    let sum = f32x4.splat(0);
    for (let c: usize = 0; c < vectors; c += 16) sum = f32x4.add(sum, v128.load(xs + c));
    for (let c = vectors; c < bytes; c += 4) sum = f32x4.add(sum, loadLanes(xs + c, false));
    const centre = total(sum) / count, middle = f32x4.splat(centre);
    let squares = f32x4.splat(0);
    for (let c: usize = 0; c < vectors; c += 16) squares = addSquare(true, xs + c, middle, squares);
    for (let c = vectors; c < bytes; c += 4) squares = addSquare(false, xs + c, middle, squares);
    const factor: f32 = <f32> 1 / sqrt<f32>(total(squares) / count + epsilon), slope = f32x4.splat(factor);
    for (let c: usize = 0; c < vectors; c += 16) normalise(true, xs + c, weight + c, bias + c, ys + c, middle, slope);
    for (let c = vectors; c < bytes; c += 4) normalise(false, xs + c, weight + c, bias + c, ys + c, middle, slope);
    store<f32>(mean + (<usize> row << 2), centre);
    store<f32>(scale + (<usize> row << 2), factor);
  }
}

@inline
function addSquare(wide: bool, x: usize, middle: v128, sum: v128): v128 {
  const difference = there(f32x4.sub(loadLanes(x, wide), middle), wide);
  return multiplyAdd(difference, difference, sum);
}

@inline
function normalise(wide: bool, x: usize, weight: usize, bias: usize, y: usize, middle: v128, slope: v128): void {
  const normalised = f32x4.mul(f32x4.sub(loadLanes(x, wide), middle), slope);
  storeLanes(y, multiplyAdd(normalised, loadLanes(weight, wide), loadLanes(bias, wide)), wide);
}

/**
 * dx = scale (h - mean(h) - n mean(h n)), h = gradient weight, n the normalised x, for the rows from `begin` to `end`.
 */
export function layerNormGradient(
  x: usize, gradient: usize, weight: usize, mean: usize, scale: usize, dx: usize, columns: i32, begin: i32, end: i32,
): void {
  const bytes = <usize> columns << 2, vectors = bytes >> 4 << 4, count = <f32> columns;
  for (let row = begin; row < end; row++) {
    const at = <usize> row * bytes, xs = x + at, gs = gradient + at, ds = dx + at;
    const middle = f32x4.splat(load<f32>(mean + (<usize> row << 2))), factor = load<f32>(scale + (<usize> row << 2));
    let sum = f32x4.splat(0), products = f32x4.splat(0);
    for (let c: usize = 0; c < vectors; c += 16) {
      const h = f32x4.mul(v128.load(gs + c), v128.load(weight + c));
      sum = f32x4.add(sum, h);
      products = multiplyAdd(h, f32x4.sub(v128.load(xs + c), middle), products);
    }
    for (let c = vectors; c < bytes; c += 4) {
      // The lanes that are not there are zero in h.
      const h = f32x4.mul(loadLanes(gs + c, false), loadLanes(weight + c, false));
      sum = f32x4.add(sum, h);
      products = multiplyAdd(h, f32x4.sub(loadLanes(xs + c, false), middle), products);
    }
    const offset = f32x4.splat(total(sum) / count);
    const slope = f32x4.splat(total(products) * factor * factor / count), by = f32x4.splat(factor);
    for (let c: usize = 0; c < vectors; c += 16) combine(true, xs + c, gs + c, weight + c, ds + c, middle, offset, slope, by);
    for (let c = vectors; c < bytes; c += 4) {
      combine(false, xs + c, gs + c, weight + c, ds + c, middle, offset, slope, by);
    }
  }
}

@inline
function combine(
  wide: bool, x: usize, gradient: usize, weight: usize, dx: usize, middle: v128, offset: v128, slope: v128, by: v128,
): void {
  const h = f32x4.sub(f32x4.mul(loadLanes(gradient, wide), loadLanes(weight, wide)), offset);
  const n = f32x4.mul(f32x4.sub(loadLanes(x, wide), middle), slope);
  storeLanes(dx, f32x4.mul(f32x4.sub(h, n), by), wide);
}

/** sums[c] = sum of the gradient, and products[c] = sum of gradient (x - mean) scale, over the rows. */
export function layerNormSums(
  x: usize, gradient: usize, mean: usize, scale: usize, sums: usize, products: usize,
  columns: i32, begin: i32, end: i32,
): void {
  const bytes = <usize> columns << 2, block = blockRows(columns);
  memory.fill(sums, 0, bytes);
  memory.fill(products, 0, bytes);
  for (let first = begin; first < end; first += block) {
    const rows = min(block, end - first), at = <usize> first * bytes, row = <usize> first << 2;
    let c: usize = 0;
    for (; c + 16 <= bytes; c += 16) {
      addRows(true, x + at + c, gradient + at + c, mean + row, scale + row, bytes, rows, sums + c, products + c);
    }
    for (; c < bytes; c += 4) {
      addRows(false, x + at + c, gradient + at + c, mean + row, scale + row, bytes, rows, sums + c, products + c);
    }
  }
}

@inline
function addRows(
  wide: bool, x: usize, gradient: usize, mean: usize, scale: usize, step: usize, rows: i32, sums: usize, products: usize,
): void {
  let sum = f32x4.splat(0), product = f32x4.splat(0);
  for (; rows > 0; --rows, x += step, gradient += step, mean += 4, scale += 4) {
    const g = loadLanes(gradient, wide), difference = f32x4.sub(loadLanes(x, wide), v128.load32_splat(mean));
    sum = f32x4.add(sum, g);
    product = multiplyAdd(f32x4.mul(g, v128.load32_splat(scale)), difference, product);
  }
  storeLanes(sums, f32x4.add(loadLanes(sums, wide), sum), wide);
  storeLanes(products, f32x4.add(loadLanes(products, wide), product), wide);
}

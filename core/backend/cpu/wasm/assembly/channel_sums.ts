// Sums over the rows of [rows, channels], channel by channel: the statistics of batch normalisation, their gradients.

import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./simd";

/** Bytes of rows to sum before their sums are added to the totals: they stay in cache for the next channels. */
const BLOCK_BYTES: i32 = 16 << 10;

/** Rows of a block at most: a sum of sums loses fewer digits than one long sum. */
const LONGEST_SUM: i32 = 256;

/** Rows of a block. */
@inline
export function blockRows(channels: i32): i32 {
  return min(max(BLOCK_BYTES / (4 * channels), 4), LONGEST_SUM);
}

/** What is summed. */
const enum Term {
  /** x */
  Value,
  /** (x - mean)^2 */
  CentredSquare,
  /** g, and g (x - mean) */
  Gradient,
}

/** sums[c] = sum of x over the rows from `rowBegin` to `rowEnd`. */
export function channelSums(x: usize, sums: usize, channels: i32, rowBegin: i32, rowEnd: i32): void {
  sumRows(Term.Value, x, 0, 0, sums, 0, channels, rowBegin, rowEnd);
}

/** sums[c] = sum of (x - mean[c])^2 over the rows. */
export function channelSquares(x: usize, mean: usize, sums: usize, channels: i32, rowBegin: i32, rowEnd: i32): void {
  sumRows(Term.CentredSquare, x, 0, mean, sums, 0, channels, rowBegin, rowEnd);
}

/** sums[c] = sum of the gradient, and products[c] = sum of gradient * (x - mean[c]), over the rows. */
export function channelGradientSums(
  x: usize, gradient: usize, mean: usize, sums: usize, products: usize, channels: i32, rowBegin: i32, rowEnd: i32,
): void {
  sumRows(Term.Gradient, x, gradient, mean, sums, products, channels, rowBegin, rowEnd);
}

/** All of the above: `term` is a constant where this is inlined, and the other cases vanish. */
@inline
function sumRows(
  term: Term, x: usize, gradient: usize, mean: usize, sums: usize, products: usize,
  channels: i32, rowBegin: i32, rowEnd: i32,
): void {
  const row = <usize> channels << 2, block = blockRows(channels);
  memory.fill(sums, 0, row);
  if (term == Term.Gradient) memory.fill(products, 0, row);
  for (let begin = rowBegin; begin < rowEnd; begin += block) {
    const rows = min(block, rowEnd - begin), offset = <usize> begin * row;
    let c: usize = 0;
    for (; c + 16 <= row; c += 16) {
      addRows(term, true, x + offset + c, gradient + offset + c, row, rows, mean + c, sums + c, products + c);
    }
    for (; c < row; c += 4) {
      addRows(term, false, x + offset + c, gradient + offset + c, row, rows, mean + c, sums + c, products + c);
    }
  }
}

/** Adds the terms of one group of channels to its totals. Two accumulators, so that an addition need not wait. */
@inline
function addRows(
  term: Term, wide: bool, x: usize, gradient: usize, step: usize, rows: i32, mean: usize, sums: usize, products: usize,
): void {
  const centre = term == Term.Value ? f32x4.splat(0) : loadLanes(mean, wide), zero = f32x4.splat(0);
  let sum0 = zero, sum1 = zero, product0 = zero, product1 = zero;
  for (; rows > 1; rows -= 2) {
    const x0 = loadLanes(x, wide), x1 = loadLanes(x + step, wide);
    if (term == Term.Value) {
      sum0 = f32x4.add(sum0, x0);
      sum1 = f32x4.add(sum1, x1);
    } else {
      const d0 = f32x4.sub(x0, centre), d1 = f32x4.sub(x1, centre);
      if (term == Term.CentredSquare) {
        sum0 = multiplyAdd(d0, d0, sum0);
        sum1 = multiplyAdd(d1, d1, sum1);
      } else {
        const g0 = loadLanes(gradient, wide), g1 = loadLanes(gradient + step, wide);
        sum0 = f32x4.add(sum0, g0);
        sum1 = f32x4.add(sum1, g1);
        product0 = multiplyAdd(g0, d0, product0);
        product1 = multiplyAdd(g1, d1, product1);
        gradient += 2 * step;
      }
    }
    x += 2 * step;
  }
  if (rows > 0) {
    const x0 = loadLanes(x, wide), d0 = f32x4.sub(x0, centre);
    if (term == Term.Value) {
      sum0 = f32x4.add(sum0, x0);
    } else if (term == Term.CentredSquare) {
      sum0 = multiplyAdd(d0, d0, sum0);
    } else {
      const g0 = loadLanes(gradient, wide);
      sum0 = f32x4.add(sum0, g0);
      product0 = multiplyAdd(g0, d0, product0);
    }
  }
  storeLanes(sums, f32x4.add(loadLanes(sums, wide), f32x4.add(sum0, sum1)), wide);
  if (term == Term.Gradient) {
    storeLanes(products, f32x4.add(loadLanes(products, wide), f32x4.add(product0, product1)), wide);
  }
}

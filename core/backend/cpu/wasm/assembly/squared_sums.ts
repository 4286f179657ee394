// Sums of squares in float64.

import { DOUBLE, laneSum } from "./simd64";

/** Numbers that are summed by themselves, whatever the number of threads: the sum of these sums is always the same. */
const BLOCK: usize = 1 << 14;

/** Two floats as doubles, squared: that is exact. */
@inline
function square(pair: v128): v128 {
  const x = f64x2.promote_low_f32x4(pair);
  return f64x2.mul(x, x);
}

/** sums[i] = the sum of the squares of the block i of x [length], for the blocks from `begin` to `end`. */
export function blockSquares(x: usize, length: i32, sums: usize, begin: i32, end: i32): void {
  for (let block = begin; block < end; ++block) {
    const first = <usize> block * BLOCK, count = min(BLOCK, <usize> length - first);
    let at = x + (first << 2);
    const all = at + (count << 2), vectors = at + (count >> 3 << 5);
    let a = f64x2.splat(0), b = f64x2.splat(0), c = f64x2.splat(0), d = f64x2.splat(0);
    for (; at < vectors; at += 32) {
      a = f64x2.add(a, square(v128.load64_zero(at)));
      b = f64x2.add(b, square(v128.load64_zero(at + 8)));
      c = f64x2.add(c, square(v128.load64_zero(at + 16)));
      d = f64x2.add(d, square(v128.load64_zero(at + 24)));
    }
    for (; at < all; at += 4) a = f64x2.add(a, square(v128.load32_zero(at)));
    store<f64>(sums + <usize> block * DOUBLE, laneSum(f64x2.add(f64x2.add(a, b), f64x2.add(c, d))));
  }
}

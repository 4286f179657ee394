// Dropout by a mask that is computed from each element's index.

import { four, fourIntegers } from "./constants";

let FIRST = fourIntegers(0x7feb352d), SECOND = fourIntegers(<i32> 0x846ca68b);

/** 2^-24: of a whole number of 24 bits a part of 1. */
let UNIT = four(1 / <f32> 16777216);

/** Two rounds of xor-shift and multiply, as the shader and the plain loop have them. */
@inline
function hash(h: v128): v128 {
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), FIRST);
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), SECOND);
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** Four elements, of which the first has this index: divided in float64, and rounded once. */
@inline
function lanes(value: v128, index: i32, key: v128, threshold: v128, kept: v128): v128 {
  const indices = i32x4.add(i32x4.splat(index), i32x4(0, 1, 2, 3));
  const uniform = f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(hash(v128.xor(indices, key)), 8)), UNIT);
  const low = f32x4.demote_f64x2_zero(f64x2.div(f64x2.promote_low_f32x4(value), kept));
  const upper = f64x2.promote_low_f32x4(i8x16.shuffle(value, value, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  const high = f32x4.demote_f64x2_zero(f64x2.div(upper, kept));
  const divided = i8x16.shuffle(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  return v128.and(divided, f32x4.ge(uniform, threshold));
}

/**
 * y = x / (1 - rate) where the hash of an element's index and the key is at least the rate, else 0, for the elements
 * from `begin` to `end`. y may be x.
 *
 * @param key hash of the seed
 * @param rateBits the rate, a float32, as an integer's bits
 */
export function dropout(x: usize, y: usize, key: i32, rateBits: i32, begin: i32, end: i32): void {
  const rate = reinterpret<f32>(rateBits);
  const keys = i32x4.splat(key), threshold = f32x4.splat(rate), kept = f64x2.splat(1 - <f64> rate);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize> i << 2;
    v128.store(y + at, lanes(v128.load(x + at), i, keys, threshold, kept));
  }
  for (; i < end; ++i) {
    const at = <usize> i << 2;
    v128.store32_lane(y + at, lanes(v128.load32_zero(x + at), i, keys, threshold, kept), 0);
  }
}

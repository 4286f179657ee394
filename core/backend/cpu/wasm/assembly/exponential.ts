// The exponential and the error function, four lanes at once. NaN stays NaN.

import { multiplyAdd } from "./simd";

/** Splats a number. */
@inline
function all(value: f32): v128 {
  return f32x4.splat(value);
}

/**
 * e^x to 2e-7 of its value; below -87 it stays at the smallest normal float32, above 88 at 1.7e38.
 *
 * x = n log 2 + r with a whole n: e^r is a polynomial (off by 3e-9), and 2^n goes straight to the exponent's bits. log
 * 2 is subtracted in two parts, of which the first has few digits, so that n times it is exact.
 */
@inline
export function exponential(x: v128): v128 {
  const within = f32x4.max(f32x4.min(x, all(88)), all(-87.33));
  const n = f32x4.nearest(f32x4.mul(within, all(1.44269504)));
  const r = multiplyAdd(n, all(2.12194440e-4), multiplyAdd(n, all(-0.693359375), within));
  let p = multiplyAdd(all(1.38144657e-3), r, all(8.36878053e-3));
  p = multiplyAdd(p, r, all(4.16683942e-2));
  p = multiplyAdd(p, r, all(1.66665201e-1));
  p = multiplyAdd(p, r, all(4.99999934e-1));
  p = multiplyAdd(p, f32x4.mul(r, r), f32x4.add(r, all(1)));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** The error function to 1.5e-7: shaders/erf.wgsl says how. */
@inline
export function errorFunction(x: v128): v128 {
  const size = f32x4.min(f32x4.abs(x), all(4)), s = f32x4.mul(size, size);
  let p = multiplyAdd(all(7.889119e-5), s, all(-8.020841e-4));
  p = multiplyAdd(p, s, all(5.1895353e-3));
  p = multiplyAdd(p, s, all(-0.026854445));
  p = multiplyAdd(p, s, all(0.112836));
  p = multiplyAdd(p, s, all(-0.37612627));
  p = multiplyAdd(p, s, all(0.12837917));
  let q = multiplyAdd(all(-1.8557489e-4), size, all(2.9396157e-3));
  q = multiplyAdd(q, size, all(-0.021805135));
  q = multiplyAdd(q, size, all(0.10303744));
  q = multiplyAdd(q, size, all(0.6382256));
  q = multiplyAdd(q, size, all(1.12704));
  q = multiplyAdd(q, size, all(3.5370893e-4));
  const near = multiplyAdd(size, p, size), far = f32x4.sub(all(1), exponential(f32x4.neg(q)));
  const value = v128.bitselect(near, far, f32x4.lt(size, all(1)));
  // The sign of x on a value that is not negative.
  return v128.or(value, v128.and(x, i32x4.splat(i32.MIN_VALUE)));
}

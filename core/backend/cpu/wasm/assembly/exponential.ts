// The exponential and the error function, four lanes at once. NaN stays NaN.

import { four, fourIntegers } from "./constants";
import { multiplyAdd } from "./simd";

let ONE = four(1);

/** The range in which e^x and its steps are normal numbers. */
let MOST = four(88), LEAST = four(-87.33);

/** 1 / log 2, and -log 2 in two parts. */
let PER_OCTAVE = four(1.44269504), OCTAVE = four(-0.693359375), OCTAVE_REST = four(2.12194440e-4);

/** 1.5 * 2^23: adding it to a small number rounds that to a whole one, which then stands in the lowest bits. */
let WHOLE = four(12582912);

/** 1 among the exponent's bits. */
let EXPONENT_OF_ONE = fourIntegers(127 << 23);

/** Coefficients of the exponential, the highest power first. */
let E5 = four(1.38144657e-3), E4 = four(8.36878053e-3), E3 = four(4.16683942e-2);
let E2 = four(1.66665201e-1), E1 = four(4.99999934e-1);

/**
 * e^x to 2e-7 of its value; below -87 it stays at the smallest normal float32, above 88 at 1.7e38.
 *
 * x = n log 2 + r with a whole n: e^r is a polynomial (off by 3e-9), and 2^n goes straight to the exponent's bits. log
 * 2 is subtracted in two parts, of which the first has few digits, so that n times it is exact.
 *
 * A pseudo-minimum is one instruction, and the first operand where that is NaN; `f32x4.min` is seven, `f32x4.nearest`
 * and a conversion together ten.
 */
@inline
export function exponential(x: v128): v128 {
  const within = f32x4.pmax(f32x4.pmin(x, MOST), LEAST);
  const shifted = f32x4.add(f32x4.mul(within, PER_OCTAVE), WHOLE);
  const n = f32x4.sub(shifted, WHOLE);
  const r = multiplyAdd(n, OCTAVE_REST, multiplyAdd(n, OCTAVE, within));
  let p = multiplyAdd(E5, r, E4);
  p = multiplyAdd(p, r, E3);
  p = multiplyAdd(p, r, E2);
  p = multiplyAdd(p, r, E1);
  p = multiplyAdd(p, f32x4.mul(r, r), f32x4.add(r, ONE));
  const power = i32x4.add(i32x4.shl(shifted, 23), EXPONENT_OF_ONE);
  return f32x4.mul(p, power);
}

/** Beyond it the error function is 1 in float32. */
let FAR = four(4);

let SIGN = fourIntegers(i32.MIN_VALUE);

/** Coefficients near 0, of the powers of x^2, and farther away, those of the exponent; the highest power first. */
let N6 = four(7.889119e-5), N5 = four(-8.020841e-4), N4 = four(5.1895353e-3), N3 = four(-0.026854445);
let N2 = four(0.112836), N1 = four(-0.37612627), N0 = four(0.12837917);
let F6 = four(-1.8557489e-4), F5 = four(2.9396157e-3), F4 = four(-0.021805135), F3 = four(0.10303744);
let F2 = four(0.6382256), F1 = four(1.12704), F0 = four(3.5370893e-4);

/** The error function to 1.5e-7: shaders/erf.wgsl says how. */
@inline
export function errorFunction(x: v128): v128 {
  const size = f32x4.pmin(f32x4.abs(x), FAR), s = f32x4.mul(size, size);
  let p = multiplyAdd(N6, s, N5);
  p = multiplyAdd(p, s, N4);
  p = multiplyAdd(p, s, N3);
  p = multiplyAdd(p, s, N2);
  p = multiplyAdd(p, s, N1);
  p = multiplyAdd(p, s, N0);
  let q = multiplyAdd(F6, size, F5);
  q = multiplyAdd(q, size, F4);
  q = multiplyAdd(q, size, F3);
  q = multiplyAdd(q, size, F2);
  q = multiplyAdd(q, size, F1);
  q = multiplyAdd(q, size, F0);
  const near = multiplyAdd(size, p, size), far = f32x4.sub(ONE, exponential(f32x4.neg(q)));
  const value = v128.bitselect(near, far, f32x4.lt(size, ONE));
  // The sign of x on a value that is not negative.
  return v128.or(value, v128.and(x, SIGN));
}

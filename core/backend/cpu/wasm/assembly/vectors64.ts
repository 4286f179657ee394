// Products of a float64 matrix with a vector: what a panel of Householder reflections is made of.

import { DOUBLE, laneSum, multiplyAdd64 } from "./simd64";

/** Bytes that four rows advance by at a time. */
const PAIR: usize = 2 * DOUBLE;

/** y[i] = inner product of x[length] and row i of A[count, length], rows `lda` elements apart. */
export function rowProducts64(count: i32, length: i32, a: usize, lda: i32, x: usize, y: usize): void {
  const step = (<usize> lda) << 3;
  for (; count >= 4; count -= 4, a += 4 * step, y += 4 * DOUBLE) fourProducts(a, step, length, x, y);
  for (; count > 0; --count, a += step, y += DOUBLE) oneProduct(a, length, x, y);
}

function fourProducts(a0: usize, step: usize, length: i32, x: usize, y: usize): void {
  let a1 = a0 + step, a2 = a1 + step, a3 = a2 + step;
  const zero = f64x2.splat(0);
  // Two sums a row: eight side by side keep the pipelined multiply-add units busy.
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero, t0 = zero, t1 = zero, t2 = zero, t3 = zero;
  for (; length >= 4; length -= 4) {
    const u = v128.load(x), v = v128.load(x, 16);
    s0 = multiplyAdd64(v128.load(a0), u, s0); t0 = multiplyAdd64(v128.load(a0, 16), v, t0);
    s1 = multiplyAdd64(v128.load(a1), u, s1); t1 = multiplyAdd64(v128.load(a1, 16), v, t1);
    s2 = multiplyAdd64(v128.load(a2), u, s2); t2 = multiplyAdd64(v128.load(a2, 16), v, t2);
    s3 = multiplyAdd64(v128.load(a3), u, s3); t3 = multiplyAdd64(v128.load(a3, 16), v, t3);
    a0 += 2 * PAIR; a1 += 2 * PAIR; a2 += 2 * PAIR; a3 += 2 * PAIR; x += 2 * PAIR;
  }
  let r0 = laneSum(f64x2.add(s0, t0)), r1 = laneSum(f64x2.add(s1, t1));
  let r2 = laneSum(f64x2.add(s2, t2)), r3 = laneSum(f64x2.add(s3, t3));
  for (; length > 0; --length) {
    const u = load<f64>(x);
    r0 += load<f64>(a0) * u; r1 += load<f64>(a1) * u; r2 += load<f64>(a2) * u; r3 += load<f64>(a3) * u;
    a0 += DOUBLE; a1 += DOUBLE; a2 += DOUBLE; a3 += DOUBLE; x += DOUBLE;
  }
  store<f64>(y, r0); store<f64>(y, r1, 8); store<f64>(y, r2, 16); store<f64>(y, r3, 24);
}

function oneProduct(a: usize, length: i32, x: usize, y: usize): void {
  let s = f64x2.splat(0), t = s;
  for (; length >= 4; length -= 4, a += 2 * PAIR, x += 2 * PAIR) {
    s = multiplyAdd64(v128.load(a), v128.load(x), s);
    t = multiplyAdd64(v128.load(a, 16), v128.load(x, 16), t);
  }
  let sum = laneSum(f64x2.add(s, t));
  for (; length > 0; --length, a += DOUBLE, x += DOUBLE) sum += load<f64>(a) * load<f64>(x);
  store<f64>(y, sum);
}

/** y[length] += alpha times the sum of x[i] times row i of A[count, length], rows `lda` elements apart. */
export function addRows64(count: i32, length: i32, alpha: f64, a: usize, lda: i32, x: usize, y: usize): void {
  const step = (<usize> lda) << 3;
  for (; count >= 4; count -= 4, a += 4 * step, x += 4 * DOUBLE) addFour(a, step, length, alpha, x, y);
  for (; count > 0; --count, a += step, x += DOUBLE) addOne(a, length, alpha * load<f64>(x), y);
}

function addFour(a0: usize, step: usize, length: i32, alpha: f64, x: usize, y: usize): void {
  let a1 = a0 + step, a2 = a1 + step, a3 = a2 + step;
  const x0 = alpha * load<f64>(x), x1 = alpha * load<f64>(x, 8), x2 = alpha * load<f64>(x, 16);
  const x3 = alpha * load<f64>(x, 24);
  const v0 = f64x2.splat(x0), v1 = f64x2.splat(x1), v2 = f64x2.splat(x2), v3 = f64x2.splat(x3);
  for (; length >= 4; length -= 4) {
    let s = multiplyAdd64(v128.load(a0), v0, v128.load(y)), t = multiplyAdd64(v128.load(a0, 16), v0, v128.load(y, 16));
    s = multiplyAdd64(v128.load(a1), v1, s); t = multiplyAdd64(v128.load(a1, 16), v1, t);
    s = multiplyAdd64(v128.load(a2), v2, s); t = multiplyAdd64(v128.load(a2, 16), v2, t);
    s = multiplyAdd64(v128.load(a3), v3, s); t = multiplyAdd64(v128.load(a3, 16), v3, t);
    v128.store(y, s); v128.store(y, t, 16);
    a0 += 2 * PAIR; a1 += 2 * PAIR; a2 += 2 * PAIR; a3 += 2 * PAIR; y += 2 * PAIR;
  }
  for (; length > 0; --length) {
    store<f64>(y, load<f64>(y) + load<f64>(a0) * x0 + load<f64>(a1) * x1 + load<f64>(a2) * x2 + load<f64>(a3) * x3);
    a0 += DOUBLE; a1 += DOUBLE; a2 += DOUBLE; a3 += DOUBLE; y += DOUBLE;
  }
}

function addOne(a: usize, length: i32, factor: f64, y: usize): void {
  const factors = f64x2.splat(factor);
  for (; length >= 2; length -= 2, a += PAIR, y += PAIR) {
    v128.store(y, multiplyAdd64(v128.load(a), factors, v128.load(y)));
  }
  if (length > 0) store<f64>(y, load<f64>(y) + load<f64>(a) * factor);
}

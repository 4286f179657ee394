// The Toom-Cook matrices of Winograd's convolution (Lavin and Gray 2016) for results of 4 x 4 pixels and filters of 3 x
// 3 taps: polynomials at the points 0, 3/4, -3/4, 3/2, -3/2 and infinity, four channels at once. core/kernels/
// winograd_matrices.ts has them as numbers.

import { multiplyAdd, VECTOR } from "./simd";

/** Points along an axis: 4 + 3 - 1. */
export const SIDE: i32 = 6;

/** Planes of numbers in place of a square. */
export const PLANES: i32 = SIDE * SIDE;

/** The points beside zero, and their powers. */
const A: f32 = 0.75, B: f32 = 1.5;
const A2: f32 = A * A, B2: f32 = B * B, A3: f32 = A2 * A, B3: f32 = B2 * B;

/** Products of a point's distances from all others. */
const AT_0: f32 = A2 * B2, AT_A: f32 = 2 * A2 * (A2 - B2), AT_B: f32 = 2 * B2 * (B2 - A2);

/** What a square is multiplied by, from both sides. */
export const enum By {
  /** 6 pixels to 6 points */
  Pixels,
  /** 3 taps to 6 points */
  Filter,
  /** 4 pixels of a gradient to 6 points */
  Gradient,
  /** 6 points to 4 pixels */
  Result,
  /** 6 points to 3 taps */
  FilterGradient,
}

/** Numbers of a line that a matrix is multiplied by, and of the result. */
@inline
export function linesOf(by: By): i32 {
  return by == By.Filter ? 3 : by == By.Gradient ? 4 : SIDE;
}
@inline
export function resultsOf(by: By): i32 {
  return by == By.Result ? 4 : by == By.FilterGradient ? 3 : SIDE;
}

/** Bytes of a table of factors. */
const FACTORS: usize = 9 * VECTOR;

/** Bytes of private memory that `multiplySquare` needs, filled by `fillFactors`. */
export const SQUARE_SPILL: usize = FACTORS + <usize> PLANES * VECTOR;

function fill(spill: usize, index: usize, factor: f32): void {
  v128.store(spill + index * VECTOR, f32x4.splat(factor));
}

/**
 * Writes the factors of a matrix to the beginning of the private memory of `multiplySquare`, which V8 reads faster than
 * it makes vectors of constants.
 */
@inline
export function fillFactors(by: By, spill: usize): void {
  if (by == By.Pixels) {
    fill(spill, 0, -B2); fill(spill, 1, A); fill(spill, 2, -A2); fill(spill, 3, B);
    fill(spill, 4, AT_0); fill(spill, 5, -A2 - B2);
  } else if (by == By.Filter || by == By.Gradient) {
    fill(spill, 0, A / AT_A); fill(spill, 1, B / AT_B); fill(spill, 2, A3 / AT_A); fill(spill, 3, B3 / AT_B);
    fill(spill, 4, A2 / AT_A); fill(spill, 5, 1 / AT_A); fill(spill, 6, B2 / AT_B); fill(spill, 7, 1 / AT_B);
    fill(spill, 8, 1 / AT_0);
  } else {
    fill(spill, 0, A); fill(spill, 1, B); fill(spill, 2, A2); fill(spill, 3, B2); fill(spill, 4, A3);
    fill(spill, 5, B3);
  }
}

/**
 * One line of numbers `step` bytes apart to another, `toStep` bytes apart. `by` is a constant where this is inlined;
 * k0 to k8 are its factors.
 */
@inline
function multiplyLine(
  by: By, from: usize, step: usize, to: usize, toStep: usize,
  k0: v128, k1: v128, k2: v128, k3: v128, k4: v128, k5: v128, k6: v128, k7: v128, k8: v128,
): void {
  const x0 = v128.load(from), x1 = v128.load(from + step), x2 = v128.load(from + 2 * step);
  if (by == By.Pixels) {
    const x3 = v128.load(from + 3 * step), x4 = v128.load(from + 4 * step), x5 = v128.load(from + 5 * step);
    const even1 = multiplyAdd(x2, k0, x4), odd1 = f32x4.mul(multiplyAdd(x1, k0, x3), k1);
    const even2 = multiplyAdd(x2, k2, x4), odd2 = f32x4.mul(multiplyAdd(x1, k2, x3), k3);
    v128.store(to, multiplyAdd(x0, k4, multiplyAdd(x2, k5, x4)));
    v128.store(to + toStep, f32x4.add(even1, odd1));
    v128.store(to + 2 * toStep, f32x4.sub(even1, odd1));
    v128.store(to + 3 * toStep, f32x4.add(even2, odd2));
    v128.store(to + 4 * toStep, f32x4.sub(even2, odd2));
    v128.store(to + 5 * toStep, multiplyAdd(x1, k4, multiplyAdd(x3, k5, x5)));
  } else if (by == By.Filter || by == By.Gradient) {
    const x3 = by == By.Gradient ? v128.load(from + 3 * step) : x2;
    let odd1 = f32x4.mul(x1, k0), odd2 = f32x4.mul(x1, k1);
    if (by == By.Gradient) {
      odd1 = multiplyAdd(x3, k2, odd1);
      odd2 = multiplyAdd(x3, k3, odd2);
    }
    const even1 = multiplyAdd(x2, k4, f32x4.mul(x0, k5)), even2 = multiplyAdd(x2, k6, f32x4.mul(x0, k7));
    v128.store(to, f32x4.mul(x0, k8));
    v128.store(to + toStep, f32x4.add(even1, odd1));
    v128.store(to + 2 * toStep, f32x4.sub(even1, odd1));
    v128.store(to + 3 * toStep, f32x4.add(even2, odd2));
    v128.store(to + 4 * toStep, f32x4.sub(even2, odd2));
    v128.store(to + 5 * toStep, x3);
  } else {
    const x3 = v128.load(from + 3 * step), x4 = v128.load(from + 4 * step), x5 = v128.load(from + 5 * step);
    const sum1 = f32x4.add(x1, x2), sum2 = f32x4.add(x3, x4);
    const difference1 = f32x4.sub(x1, x2), difference2 = f32x4.sub(x3, x4);
    v128.store(to, f32x4.add(x0, f32x4.add(sum1, sum2)));
    v128.store(to + toStep, multiplyAdd(difference1, k0, f32x4.mul(difference2, k1)));
    const squares = multiplyAdd(sum1, k2, f32x4.mul(sum2, k3));
    if (by == By.FilterGradient) {
      v128.store(to + 2 * toStep, f32x4.add(squares, x5));
    } else {
      v128.store(to + 2 * toStep, squares);
      v128.store(to + 3 * toStep, multiplyAdd(difference1, k4, multiplyAdd(difference2, k5, x5)));
    }
  }
}

/**
 * Multiplies a square by a matrix from both sides, for `vectors` vectors of channels that lie side by side.
 *
 * @param by a constant where this is inlined
 * @param from,rowStep,step the square's first number, and the bytes from row to row and from number to number
 * @param to,toRowStep,toStep the same of the result
 * @param spill SQUARE_SPILL bytes of private memory, its factors filled
 */
@inline
export function multiplySquare(
  by: By, from: usize, rowStep: usize, step: usize, to: usize, toRowStep: usize, toStep: usize,
  vectors: i32, spill: usize,
): void {
  const k0 = v128.load(spill), k1 = v128.load(spill, 16), k2 = v128.load(spill, 32), k3 = v128.load(spill, 48);
  const k4 = v128.load(spill, 64), k5 = v128.load(spill, 80), k6 = v128.load(spill, 96), k7 = v128.load(spill, 112);
  const k8 = v128.load(spill, 128), lines = spill + FACTORS, line = <usize> resultsOf(by) * VECTOR;
  for (; vectors > 0; --vectors, from += VECTOR, to += VECTOR) {
    for (let i: usize = 0; i < <usize> linesOf(by); ++i) {
      multiplyLine(by, from + i * rowStep, step, lines + i * line, VECTOR, k0, k1, k2, k3, k4, k5, k6, k7, k8);
    }
    for (let j: usize = 0; j < <usize> resultsOf(by); ++j) {
      multiplyLine(by, lines + j * VECTOR, line, to + j * toStep, toRowStep, k0, k1, k2, k3, k4, k5, k6, k7, k8);
    }
  }
}

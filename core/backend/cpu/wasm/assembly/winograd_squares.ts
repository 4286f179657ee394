// The Toom-Cook matrices of Winograd's convolution (Lavin and Gray 2016) for results of 4 x 4 pixels and filters of 3 x
// 3 taps: polynomials at the points 0, 3/4, -3/4, 3/2, -3/2 and infinity, four channels at once. core/kernels/
// winograd_matrices.ts has them as numbers.

import { multiplyAdd, VECTOR } from "./simd";

/** Points along an axis: 4 + 3 - 1. */
export const SIDE: i32 = 6;

/** Planes of numbers in place of a square. */
export const PLANES: i32 = SIDE * SIDE;

/** Bytes of private memory that `multiplySquare` needs. */
export const SQUARE_SPILL: usize = <usize> PLANES * VECTOR;

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

@inline
function scaled(x: v128, factor: f32): v128 {
  return f32x4.mul(x, f32x4.splat(factor));
}

/** x * factor + y */
@inline
function plus(x: v128, factor: f32, y: v128): v128 {
  return multiplyAdd(x, f32x4.splat(factor), y);
}

/**
 * One line of numbers `step` bytes apart to another, `toStep` bytes apart. `by` is a constant where this is inlined.
 */
@inline
function multiplyLine(by: By, from: usize, step: usize, to: usize, toStep: usize): void {
  const x0 = v128.load(from), x1 = v128.load(from + step), x2 = v128.load(from + 2 * step);
  if (by == By.Pixels) {
    const x3 = v128.load(from + 3 * step), x4 = v128.load(from + 4 * step), x5 = v128.load(from + 5 * step);
    const even1 = plus(x2, -B2, x4), odd1 = scaled(plus(x1, -B2, x3), A);
    const even2 = plus(x2, -A2, x4), odd2 = scaled(plus(x1, -A2, x3), B);
    v128.store(to, plus(x0, AT_0, plus(x2, -A2 - B2, x4)));
    v128.store(to + toStep, f32x4.add(even1, odd1));
    v128.store(to + 2 * toStep, f32x4.sub(even1, odd1));
    v128.store(to + 3 * toStep, f32x4.add(even2, odd2));
    v128.store(to + 4 * toStep, f32x4.sub(even2, odd2));
    v128.store(to + 5 * toStep, plus(x1, AT_0, plus(x3, -A2 - B2, x5)));
  } else if (by == By.Filter || by == By.Gradient) {
    const x3 = by == By.Gradient ? v128.load(from + 3 * step) : x2;
    let odd1 = scaled(x1, A / AT_A), odd2 = scaled(x1, B / AT_B);
    if (by == By.Gradient) {
      odd1 = plus(x3, A3 / AT_A, odd1);
      odd2 = plus(x3, B3 / AT_B, odd2);
    }
    const even1 = plus(x2, A2 / AT_A, scaled(x0, 1 / AT_A)), even2 = plus(x2, B2 / AT_B, scaled(x0, 1 / AT_B));
    v128.store(to, scaled(x0, 1 / AT_0));
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
    v128.store(to + toStep, plus(difference1, A, scaled(difference2, B)));
    const squares = plus(sum1, A2, scaled(sum2, B2));
    if (by == By.FilterGradient) {
      v128.store(to + 2 * toStep, f32x4.add(squares, x5));
    } else {
      v128.store(to + 2 * toStep, squares);
      v128.store(to + 3 * toStep, plus(difference1, A3, plus(difference2, B3, x5)));
    }
  }
}

/**
 * Multiplies a square by a matrix from both sides, for `vectors` vectors of channels that lie side by side.
 *
 * @param by a constant where this is inlined
 * @param from,rowStep,step the square's first number, and the bytes from row to row and from number to number
 * @param to,toRowStep,toStep the same of the result
 * @param spill SQUARE_SPILL bytes of private memory
 */
@inline
export function multiplySquare(
  by: By, from: usize, rowStep: usize, step: usize, to: usize, toRowStep: usize, toStep: usize,
  vectors: i32, spill: usize,
): void {
  const spillRow = <usize> resultsOf(by) * VECTOR;
  for (; vectors > 0; --vectors, from += VECTOR, to += VECTOR) {
    for (let i: usize = 0; i < <usize> linesOf(by); ++i) {
      multiplyLine(by, from + i * rowStep, step, spill + i * spillRow, VECTOR);
    }
    for (let j: usize = 0; j < <usize> resultsOf(by); ++j) {
      multiplyLine(by, spill + j * VECTOR, spillRow, to + j * toStep, toRowStep);
    }
  }
}

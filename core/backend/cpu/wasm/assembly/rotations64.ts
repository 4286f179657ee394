// Runs of plane rotations on the rows of a float64 matrix: the work of the QR iteration that grows with the cube.

import { DOUBLE, multiplyAdd64, multiplySubtract64 } from "./simd64";

/** Bytes of a row of a panel: eight columns. */
const ROW: usize = 8 * DOUBLE;

/** Bytes of a cosine and a sine. */
const PAIR: usize = 2 * DOUBLE;

/**
 * Runs of rotations, one after the other, on A[rows, 8 panels], which lies as panels of eight columns, so that all runs
 * find a panel in the cache. A run takes neighbouring rows downwards: `x, y <- c x + s y, c y - s x`.
 *
 * @param a [panels, rows, 8]
 * @param runs for each run its first row and how many rotations it has, then the cosine and sine of each
 */
export function rotatePanels64(rows: i32, panels: i32, a: usize, count: i32, runs: usize): void {
  for (; panels > 0; --panels, a += ROW * rows) {
    let run = runs;
    for (let left = count; left > 0; --left) {
      const first = load<f64>(run), length = <i32> load<f64>(run, 8), next = run + PAIR * (length + 1);
      const x = a + <usize> first * ROW;
      // Most runs begin where the one before did, and end there or earlier.
      if (left > 1 && load<f64>(next) == first) {
        const second = <i32> load<f64>(next, 8);
        if (second <= length) {
          rotateTwice(x, run + PAIR, length, next + PAIR, second);
          run = next + PAIR * (second + 1);
          --left;
          continue;
        }
      }
      rotate(x, run + PAIR, length);
      run = next;
    }
  }
}

/** c x + s y */
@inline
function upper(c: v128, s: v128, x: v128, y: v128): v128 {
  return multiplyAdd64(s, y, f64x2.mul(c, x));
}

/** c y - s x */
@inline
function lower(c: v128, s: v128, x: v128, y: v128): v128 {
  return multiplySubtract64(s, x, f64x2.mul(c, y));
}

/** One run on a panel: the lower row of a rotation, the upper one of the next, stays in registers. */
function rotate(x: usize, rotation: usize, length: i32): void {
  let x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
  for (; length > 0; --length, x += ROW, rotation += PAIR) {
    const c = v128.load64_splat(rotation), s = v128.load64_splat(rotation, 8);
    const y0 = v128.load(x, 64), y1 = v128.load(x, 80), y2 = v128.load(x, 96), y3 = v128.load(x, 112);
    v128.store(x, upper(c, s, x0, y0)); v128.store(x, upper(c, s, x1, y1), 16);
    v128.store(x, upper(c, s, x2, y2), 32); v128.store(x, upper(c, s, x3, y3), 48);
    x0 = lower(c, s, x0, y0); x1 = lower(c, s, x1, y1); x2 = lower(c, s, x2, y2); x3 = lower(c, s, x3, y3);
  }
  v128.store(x, x0); v128.store(x, x1, 16); v128.store(x, x2, 32); v128.store(x, x3, 48);
}

/**
 * A run and the next one, which begins at the same row and is not longer, on a panel: what the first has done with a
 * row, the second takes from registers. So each row is read and written once.
 */
function rotateTwice(x: usize, rotation: usize, length: i32, next: usize, second: i32): void {
  let c = v128.load64_splat(rotation), s = v128.load64_splat(rotation, 8);
  let x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
  let y0 = v128.load(x, 64), y1 = v128.load(x, 80), y2 = v128.load(x, 96), y3 = v128.load(x, 112);
  // What the second run carries from row to row.
  let z0 = upper(c, s, x0, y0), z1 = upper(c, s, x1, y1), z2 = upper(c, s, x2, y2), z3 = upper(c, s, x3, y3);
  x0 = lower(c, s, x0, y0); x1 = lower(c, s, x1, y1); x2 = lower(c, s, x2, y2); x3 = lower(c, s, x3, y3);
  rotation += PAIR;
  for (let left = min(length - 1, second); left > 0; --left, x += ROW, rotation += PAIR, next += PAIR) {
    c = v128.load64_splat(rotation); s = v128.load64_splat(rotation, 8);
    let y = v128.load(x, 128);
    y0 = upper(c, s, x0, y); x0 = lower(c, s, x0, y);
    y = v128.load(x, 144);
    y1 = upper(c, s, x1, y); x1 = lower(c, s, x1, y);
    y = v128.load(x, 160);
    y2 = upper(c, s, x2, y); x2 = lower(c, s, x2, y);
    y = v128.load(x, 176);
    y3 = upper(c, s, x3, y); x3 = lower(c, s, x3, y);
    c = v128.load64_splat(next); s = v128.load64_splat(next, 8);
    v128.store(x, upper(c, s, z0, y0)); v128.store(x, upper(c, s, z1, y1), 16);
    v128.store(x, upper(c, s, z2, y2), 32); v128.store(x, upper(c, s, z3, y3), 48);
    z0 = lower(c, s, z0, y0); z1 = lower(c, s, z1, y1); z2 = lower(c, s, z2, y2); z3 = lower(c, s, z3, y3);
  }
  if (second == length) {
    c = v128.load64_splat(next); s = v128.load64_splat(next, 8);
    v128.store(x, upper(c, s, z0, x0)); v128.store(x, upper(c, s, z1, x1), 16);
    v128.store(x, upper(c, s, z2, x2), 32); v128.store(x, upper(c, s, z3, x3), 48);
    x0 = lower(c, s, z0, x0); x1 = lower(c, s, z1, x1); x2 = lower(c, s, z2, x2); x3 = lower(c, s, z3, x3);
  } else {
    v128.store(x, z0); v128.store(x, z1, 16); v128.store(x, z2, 32); v128.store(x, z3, 48);
  }
  x += ROW;
  v128.store(x, x0); v128.store(x, x1, 16); v128.store(x, x2, 32); v128.store(x, x3, 48);
  // What is left of the first run.
  if (second < length) rotate(x, rotation, length - 1 - second);
}

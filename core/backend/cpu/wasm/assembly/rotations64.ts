// Runs of plane rotations on the rows of a float64 matrix: the work of the QR iteration that grows with the cube.

import { DOUBLE, multiplyAdd64 } from "./simd64";

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
      const first = <usize> load<f64>(run), length = <i32> load<f64>(run, 8);
      rotate(a + first * ROW, run + PAIR, length);
      run += PAIR * (length + 1);
    }
  }
}

/** One run on a panel: the lower row of a rotation, the upper one of the next, stays in registers. */
function rotate(x: usize, rotation: usize, length: i32): void {
  let x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
  for (; length > 0; --length, x += ROW, rotation += PAIR) {
    const c = v128.load64_splat(rotation), s = v128.load64_splat(rotation, 8), minus = f64x2.neg(s);
    const y0 = v128.load(x, 64), y1 = v128.load(x, 80), y2 = v128.load(x, 96), y3 = v128.load(x, 112);
    v128.store(x, multiplyAdd64(s, y0, f64x2.mul(c, x0)));
    v128.store(x, multiplyAdd64(s, y1, f64x2.mul(c, x1)), 16);
    v128.store(x, multiplyAdd64(s, y2, f64x2.mul(c, x2)), 32);
    v128.store(x, multiplyAdd64(s, y3, f64x2.mul(c, x3)), 48);
    x0 = multiplyAdd64(minus, x0, f64x2.mul(c, y0));
    x1 = multiplyAdd64(minus, x1, f64x2.mul(c, y1));
    x2 = multiplyAdd64(minus, x2, f64x2.mul(c, y2));
    x3 = multiplyAdd64(minus, x3, f64x2.mul(c, y3));
  }
  v128.store(x, x0); v128.store(x, x1, 16); v128.store(x, x2, 32); v128.store(x, x3, 48);
}

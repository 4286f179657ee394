/** Operations on runs of a flat array, given as the array and the index of the run's first number. */

/** Inner product of two runs; four sums side by side, as one chain of additions would wait for each to finish. */
export function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, k = 0;
  for (; k + 4 <= length; k += 4) {
    s0 += a[aStart + k] * b[bStart + k];
    s1 += a[aStart + k + 1] * b[bStart + k + 1];
    s2 += a[aStart + k + 2] * b[bStart + k + 2];
    s3 += a[aStart + k + 3] * b[bStart + k + 3];
  }
  for (; k < length; k++) s0 += a[aStart + k] * b[bStart + k];
  return (s0 + s1) + (s2 + s3);
}

/** Squares below this are too small to be told from zero next to numbers around 1: their products underflow. */
export const TINY_SQUARE = 1e-250;

/**
 * Euclidean length of a run, by default of the whole array (the Frobenius norm of a matrix), right also where its
 * squares underflow. The numbers must be far below 1e150.
 */
export function norm(a: Float64Array, start = 0, length = a.length - start): number {
  const square = dot(a, start, a, start, length);
  if (square >= TINY_SQUARE) return Math.sqrt(square);
  let largest = 0;
  for (let k = 0; k < length; k++) largest = Math.max(largest, Math.abs(a[start + k]));
  if (largest === 0) return 0;
  let sum = 0;
  for (let k = 0; k < length; k++) sum += (a[start + k] / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** `y += factor * x` on runs. */
export function addScaled(
  y: Float64Array,
  yStart: number,
  factor: number,
  x: Float64Array,
  xStart: number,
  length: number,
): void {
  for (let k = 0; k < length; k++) y[yStart + k] += factor * x[xStart + k];
}

/** Multiplies a run by a factor. */
export function scale(a: Float64Array, start: number, length: number, factor: number): void {
  for (let k = 0; k < length; k++) a[start + k] *= factor;
}

/**
 * Plane rotation of two runs of one array: `x, y <- cosine x - sine y, sine x + cosine y`. It adds the change, `cosine
 * - 1` times the run, so that the rounding of thousands of small rotations stays small.
 */
export function rotate(
  a: Float64Array,
  xStart: number,
  yStart: number,
  length: number,
  cosine: number,
  sine: number,
): void {
  const change = -sine * sine / (1 + cosine);
  // Views, as the compiler leaves out the bounds checks of a loop up to an array's own length.
  const xs = a.subarray(xStart, xStart + length), ys = a.subarray(yStart, yStart + length);
  for (let k = 0; k < xs.length; k++) {
    const x = xs[k], y = ys[k];
    xs[k] = x + (change * x - sine * y);
    ys[k] = y + (sine * x + change * y);
  }
}

/** Exchanges two runs of one array. */
export function swap(a: Float64Array, xStart: number, yStart: number, length: number): void {
  for (let k = 0; k < length; k++) {
    const x = a[xStart + k];
    a[xStart + k] = a[yStart + k];
    a[yStart + k] = x;
  }
}

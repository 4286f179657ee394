/** Matrices for tests, row-major. */

export interface Matrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

export function matrix(rows: number, columns: number, entry: (i: number, j: number) => number): Matrix {
  const values = Float64Array.from({ length: rows * columns }, (_, k) => entry(Math.floor(k / columns), k % columns));
  return { values, rows, columns };
}

/** Reproducible numbers in [-1, 1): the generator of the golden file, `s <- 1664525 s + 1013904223 mod 2^32`. */
export function random(rows: number, columns: number, seed: number): Matrix {
  let state = seed;
  return matrix(rows, columns, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return 2 * state / 2 ** 32 - 1;
  });
}

export function identity(size: number): Matrix {
  return matrix(size, size, (i, j) => Number(i === j));
}

export function diagonal(...entries: number[]): Matrix {
  return matrix(entries.length, entries.length, (i, j) => i === j ? entries[i] : 0);
}

export function hilbert(size: number): Matrix {
  return matrix(size, size, (i, j) => 1 / (i + j + 1));
}

/** Kahan's upper triangle: nearly singular, though its diagonal hides it; the determinant is `sine^(n (n - 1) / 2)`. */
export function kahan(size: number, sine: number): Matrix {
  const cosine = Math.sqrt(1 - sine * sine);
  return matrix(size, size, (i, j) => i > j ? 0 : sine ** i * (i === j ? 1 : -cosine));
}

/** `rank` random columns times `rank` random rows. */
export function lowRank(rows: number, columns: number, rank: number, seed: number): Matrix {
  return product(random(rows, rank, seed), random(rank, columns, seed + 1));
}

export function scaled(a: Matrix, factor: number): Matrix {
  return { ...a, values: a.values.map((x) => x * factor) };
}

export function transposed(a: Matrix): Matrix {
  return matrix(a.columns, a.rows, (i, j) => a.values[j * a.columns + i]);
}

export function product(a: Matrix, b: Matrix): Matrix {
  return matrix(a.rows, b.columns, (i, j) => {
    let sum = 0;
    for (let k = 0; k < a.columns; k++) sum += a.values[i * a.columns + k] * b.values[k * b.columns + j];
    return sum;
  });
}

export function frobenius(values: ArrayLike<number>): number {
  const largest = maxAbs(values);
  if (largest === 0) return 0;
  return largest * Math.sqrt(Array.from(values).reduce((sum, x) => sum + (x / largest) ** 2, 0));
}

export function maxAbs(values: ArrayLike<number>): number {
  return Array.from(values).reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
}

/** `||A - B||_F / ||B||_F`, and 0 for two zero matrices. */
export function relativeError(a: Matrix, b: Matrix): number {
  const error = frobenius(a.values.map((x, k) => x - b.values[k]));
  return error === 0 ? 0 : error / frobenius(b.values);
}

/** The largest entry of `|U^T U - I|`. */
export function orthogonalityError(u: Matrix): number {
  const gram = product(transposed(u), u);
  return maxAbs(gram.values.map((x, k) => x - Number(k % (u.columns + 1) === 0)));
}

/** Shapes and contents on which factorisations go wrong. */
export const HARD_MATRICES: Readonly<Record<string, Matrix>> = {
  "1 x 1": matrix(1, 1, () => -3),
  "1 x 7": random(1, 7, 1),
  "7 x 1": random(7, 1, 2),
  "zero 1 x 1": matrix(1, 1, () => 0),
  "zero 5 x 3": matrix(5, 3, () => 0),
  "zero 3 x 5": matrix(3, 5, () => 0),
  "identity": identity(9),
  "negative identity": scaled(identity(4), -1),
  "ones 6 x 4": matrix(6, 4, () => 1),
  "ones 4 x 6": matrix(4, 6, () => 1),
  "square": random(16, 16, 3),
  "tall": random(33, 17, 4),
  "wide": random(12, 72, 5),
  "rank 3 of 8": lowRank(8, 8, 3, 6),
  "rank 2, tall": lowRank(30, 10, 2, 7),
  "rank 2, wide": lowRank(10, 30, 2, 8),
  "zero rows and columns": matrix(9, 7, (i, j) => i % 3 && j % 2 ? i + j * j : 0),
  "equal columns": matrix(12, 5, (i) => Math.sin(i)),
  "equal rows": matrix(5, 12, (_, j) => Math.cos(j)),
  "last column only": matrix(6, 6, (i, j) => j === 5 ? i + 1 : 0),
  "reversed identity": matrix(8, 8, (i, j) => Number(i + j === 7)),
  "repeated singular values": matrix(8, 8, (i, j) => i === j ? 1 - 2 / 8 : -2 / 8),
  "diagonal, ascending": diagonal(1, 2, 2, 3, 0, 5),
  "Hilbert": hilbert(12),
  "Kahan": kahan(30, 0.8),
  "graded rows": matrix(10, 10, (i, j) => 10 ** (-2 * i) * Math.cos(i * j + 1)),
  "graded columns": matrix(10, 10, (i, j) => 10 ** (-3 * j) * Math.cos(i * j + 1)),
  "graded below underflow": matrix(8, 8, (i, j) => 10 ** (-40 * i) * Math.cos(i * j + 1)),
  "graded columns below underflow": matrix(12, 8, (i, j) => 10 ** (-40 * j) * Math.cos(i * j + 1)),
  "rows that differ below underflow": matrix(2, 3, (i, j) => [1, i * 1e-160, 0][j]),
  "near 1e300": scaled(random(9, 6, 9), 1e300),
  "near 1e-300": scaled(random(6, 9, 10), 1e-300),
  "subnormal": scaled(random(5, 5, 11), 1e-315),
  "from 1e300 to 1e-300": diagonal(1e-300, 1e300, 1),
};

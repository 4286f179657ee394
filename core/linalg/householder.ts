import { addScaled, dot, norm, swap } from "./vector.ts";

/**
 * A QR factorisation `A P = Q R` as LAPACK keeps it: `Q = H_0 H_1 ...` with `H_j = I - tau_j v_j v_j^T`, where `v_j`
 * has a one at `j`, which is not stored, and zeros before it.
 */
export interface Reflectors {
  readonly rows: number;
  readonly count: number;
  /** `[count, rows]`, one column of A after another: R down to the diagonal, below it the vectors. */
  readonly columns: Float64Array;
  readonly tau: Float64Array;
  /** Which column of A stands at each place of `A P`. */
  readonly order: Uint32Array;
}

/**
 * Householder QR in place. With `pivot` the longest remaining column comes first in each step, which sorts the rows of
 * R by size and leaves them zero beyond the rank.
 *
 * @param columns `[count, rows]`: the columns of a matrix with `rows >= count`, entries up to about 1; overwritten
 */
export function factorise(columns: Float64Array, rows: number, count: number, pivot: boolean): Reflectors {
  const tau = new Float64Array(count);
  const order = Uint32Array.from({ length: count }, (_, j) => j);
  const remaining = pivot ? new RemainingSizes(columns, rows, count) : null;
  for (let j = 0; j < count; j++) {
    const longest = remaining?.longest(j) ?? j;
    if (longest !== j) {
      swap(columns, j * rows, longest * rows, rows);
      [order[j], order[longest]] = [order[longest], order[j]];
      remaining!.exchange(j, longest);
    }
    const start = j * rows + j;
    tau[j] = reflect(columns, start, rows - j);
    const diagonal = columns[start];
    columns[start] = 1; // the one of v_j, for the products below
    for (let c = j + 1; c < count; c++) {
      const at = c * rows + j;
      if (tau[j] !== 0) {
        const factor = -tau[j] * dot(columns, start, columns, at, rows - j);
        addScaled(columns, at, factor, columns, start, rows - j);
      }
      remaining?.shorten(c, j);
    }
    columns[start] = diagonal;
  }
  return { rows, count, columns, tau, order };
}

/** Lengths below this are lost next to entries around 1, and nearing the subnormal numbers they lose their digits. */
const TINY = 1e-300;

/**
 * Turns a run into the reflector `I - tau v v^T` that maps it to a multiple of the first unit vector: that multiple
 * comes first, in place of the one of v.
 *
 * @returns tau
 */
export function reflect(a: Float64Array, start: number, length: number): number {
  const tail = norm(a, start + 1, length - 1);
  if (tail < TINY) { // nothing to annihilate: H = I, also for a zero column
    a.fill(0, start + 1, start + length);
    return 0;
  }
  const first = a[start];
  const size = Math.hypot(first, tail);
  const image = first > 0 ? -size : size; // the sign that does not cancel in first - image
  // Divided, not multiplied by the inverse, which overflows where the column is subnormal.
  for (let k = 1; k < length; k++) a[start + k] /= first - image;
  a[start] = image;
  return (image - first) / image;
}

/** Squared lengths of what is left of each column below the current row, kept up to date by subtraction. */
class RemainingSizes {
  readonly #squares: Float64Array;
  /** The squares when last computed afresh: subtraction may go on until no correct digit of these is left. */
  readonly #fresh: Float64Array;

  constructor(readonly columns: Float64Array, readonly rows: number, readonly count: number) {
    this.#squares = Float64Array.from({ length: count }, (_, j) => dot(columns, j * rows, columns, j * rows, rows));
    this.#fresh = this.#squares.slice();
  }

  longest(from: number): number {
    let best = from;
    for (let j = from + 1; j < this.count; j++) if (this.#squares[j] > this.#squares[best]) best = j;
    return best;
  }

  exchange(i: number, j: number): void {
    swap(this.#squares, i, j, 1);
    swap(this.#fresh, i, j, 1);
  }

  /** Takes row `row` off column `j`. */
  shorten(j: number, row: number): void {
    const at = j * this.rows + row;
    this.#squares[j] -= this.columns[at] ** 2;
    if (this.#squares[j] < 1e-8 * this.#fresh[j]) {
      const rest = this.rows - row - 1;
      this.#squares[j] = this.#fresh[j] = dot(this.columns, at + 1, this.columns, at + 1, rest);
    }
  }
}

/** The factor R, row-major `[count, count]`, zeros below the diagonal. */
export function triangle({ rows, count, columns }: Reflectors): Float64Array {
  const r = new Float64Array(count * count);
  for (let j = 0; j < count; j++) {
    for (let i = 0; i <= j; i++) r[i * count + j] = columns[j * rows + i];
  }
  return r;
}

/**
 * `X <- Q X` in place, four columns of X at a time, so that a reflector is loaded once for the four.
 *
 * @param x `[width, rows]`: the columns of X
 */
export function applyQ({ rows, count, columns, tau }: Reflectors, x: Float64Array, width: number): void {
  for (let c = 0; c < width; c += 4) {
    for (let j = count - 1; j >= 0; j--) {
      if (tau[j] === 0) continue;
      if (c + 4 <= width) reflectFour(columns, j * rows, tau[j], x, c * rows, rows, j);
      else for (let last = c; last < width; last++) reflectOne(columns, j * rows, tau[j], x, last * rows, rows, j);
    }
  }
}

/** Reflects the column of `x` that starts at `x0` by the vector that starts at `v`, whose one stands at `j`. */
function reflectOne(
  columns: Float64Array,
  v: number,
  tau: number,
  x: Float64Array,
  x0: number,
  rows: number,
  j: number,
): void {
  const rest = rows - j - 1;
  const factor = tau * (x[x0 + j] + dot(columns, v + j + 1, x, x0 + j + 1, rest));
  x[x0 + j] -= factor;
  addScaled(x, x0 + j + 1, -factor, columns, v + j + 1, rest);
}

/** The same for four neighbouring columns. */
function reflectFour(
  columns: Float64Array,
  v: number,
  tau: number,
  x: Float64Array,
  x0: number,
  rows: number,
  j: number,
): void {
  const x1 = x0 + rows, x2 = x1 + rows, x3 = x2 + rows;
  let s0 = x[x0 + j], s1 = x[x1 + j], s2 = x[x2 + j], s3 = x[x3 + j];
  for (let k = j + 1; k < rows; k++) {
    const u = columns[v + k];
    s0 += u * x[x0 + k];
    s1 += u * x[x1 + k];
    s2 += u * x[x2 + k];
    s3 += u * x[x3 + k];
  }
  s0 *= tau;
  s1 *= tau;
  s2 *= tau;
  s3 *= tau;
  x[x0 + j] -= s0;
  x[x1 + j] -= s1;
  x[x2 + j] -= s2;
  x[x3 + j] -= s3;
  for (let k = j + 1; k < rows; k++) {
    const u = columns[v + k];
    x[x0 + k] -= s0 * u;
    x[x1 + k] -= s1 * u;
    x[x2 + k] -= s2 * u;
    x[x3 + k] -= s3 * u;
  }
}

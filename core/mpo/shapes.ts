import { expectArguments } from "../arguments.ts";
import { UserError } from "../errors.ts";

/** How a matrix is split over the cores of a chain: core k has the legs `rows[k]` and `cols[k]`. */
export interface Factors {
  /** `[i_1 .. i_n]`, whose product is the number of rows (outputs) of the matrix. */
  readonly rows: readonly number[];
  /** `[j_1 .. j_n]`, whose product is the number of columns (inputs). */
  readonly cols: readonly number[];
}

/**
 * Dimensions of the bonds of an untruncated chain (Eq. 3 of OPDF):
 * `d_k = min(i_1 j_1 ... i_k j_k, i_{k+1} j_{k+1} ... i_n j_n)`, with `d_0 = d_n = 1`.
 *
 * @returns n + 1 numbers for n cores: core k has the shape `[d_{k-1}, i_k, j_k, d_k]`
 * @throws RangeError if the lists differ in length or are empty, a factor is no positive whole number, or a
 * bond is beyond 2^53
 *
 * @example
 * ```ts
 * bondDimensions([32, 1, 24], [32, 1, 24]); // [1, 576, 576, 1]
 * ```
 */
export function bondDimensions(rows: readonly number[], cols: readonly number[]): number[] {
  expectArguments("bondDimensions", { rows: [rows, "a list of numbers"], cols: [cols, "a list of numbers"] });
  const legs = legSizes({ rows, cols });
  const left = [1];
  for (const leg of legs) left.push(left[left.length - 1] * leg);
  const right = [1];
  for (const leg of legs.toReversed()) right.unshift(right[0] * leg);
  // A product that is too large to be exact is not the smaller of the two, unless both are.
  const bonds = left.map((size, k) => Math.min(size, right[k]));
  return bonds.map((bond) => exact(bond, "bond"));
}

/**
 * Numbers in all cores of a chain: the sum of `d_{k-1} i_k j_k d_k`. Eq. 4 of OPDF, the number of parameters that a
 * chain adds, is this less the size of the matrix.
 *
 * @param bonds `[d_0 .. d_n]` of a truncated chain; without it the full bonds of Eq. 3
 * @throws RangeError as {@link bondDimensions} does, or if the bonds are not n + 1 with 1 at both ends
 *
 * @example
 * ```ts
 * chainParameterCount([32, 1, 24], [32, 1, 24]); // 1253376, for a matrix of 589824
 * ```
 */
export function chainParameterCount(
  rows: readonly number[],
  cols: readonly number[],
  bonds?: readonly number[],
): number {
  expectArguments("chainParameterCount", { rows: [rows, "a list of numbers"], cols: [cols, "a list of numbers"] });
  bonds ??= bondDimensions(rows, cols);
  expectArguments("chainParameterCount", { bonds: [bonds, "a list of numbers"] });
  const legs = legSizes({ rows, cols });
  if (bonds.length !== legs.length + 1 || bonds[0] !== 1 || bonds[legs.length] !== 1) {
    throw new RangeError(
      `Cannot join ${legs.length} cores by bonds ${show(bonds)}: it takes ${legs.length + 1}, the first and the last 1`,
    );
  }
  return exact(legs.reduce((sum, leg, k) => sum + exact(bonds[k] * leg * bonds[k + 1], "core"), 0), "chain");
}

/**
 * Checks that factors split a matrix.
 *
 * @throws UserError that names the factors at fault: factor lists of different lengths or empty, a factor that is no
 * positive whole number, or a product that is not the size of the matrix
 */
export function validateFactors(
  matrixRows: number,
  matrixCols: number,
  rows: readonly number[],
  cols: readonly number[],
): void {
  expectArguments("validateFactors", { rows: [rows, "a list of numbers"], cols: [cols, "a list of numbers"] });
  if (rows.length !== cols.length) {
    throw new UserError(
      `Cannot split a ${matrixRows} x ${matrixCols} matrix into rows ${show(rows)} and cols ${
        show(cols)
      } as each core ` +
        `takes one factor of both: there are ${rows.length} and ${cols.length}`,
    );
  }
  for (const [name, size, factors] of [["rows", matrixRows, rows], ["cols", matrixCols, cols]] as const) {
    const start = `Cannot split ${size} into ${name} ${show(factors)} as`;
    if (factors.length === 0) throw new UserError(`${start} a chain has at least one core: the list is empty`);
    const wrong = factors.find((factor) => !isSize(factor));
    if (wrong !== undefined) throw new UserError(`${start} factors must be whole numbers from 1: one is ${wrong}`);
    const product = factors.reduce((product, factor) => product * factor, 1);
    if (product !== size) {
      throw new UserError(`${start} the factors must multiply to ${size}: their product is ${product}`);
    }
  }
}

/**
 * `i_k j_k` of each core: the numbers it holds for each pair of values of its bonds.
 *
 * @throws RangeError if the lists differ in length or are empty, or a factor is no positive whole number
 */
export function legSizes(factors: Factors): number[] {
  expectArguments("legSizes", { factors: [factors, "factors, { rows, cols }"] });
  const { rows, cols } = factors;
  if (rows.length !== cols.length || rows.length === 0) {
    throw new RangeError(
      `Cannot pair rows ${show(rows)} with cols ${show(cols)}: each core takes one of both, and there is at least one`,
    );
  }
  for (const factor of [...rows, ...cols]) {
    if (!isSize(factor)) {
      throw new RangeError(
        `Cannot use ${factor} among rows ${show(rows)} and cols ${show(cols)}: factors must be whole numbers from 1`,
      );
    }
  }
  return rows.map((row, k) => row * cols[k]);
}

function isSize(factor: number): boolean {
  return Number.isSafeInteger(factor) && factor >= 1;
}

function exact(size: number, what: string): number {
  if (Number.isSafeInteger(size)) return size;
  throw new RangeError(`Cannot count the numbers of a ${what}: ${size} is beyond ${Number.MAX_SAFE_INTEGER}`);
}

function show(numbers: readonly number[]): string {
  return `[${numbers.join(", ")}]`;
}

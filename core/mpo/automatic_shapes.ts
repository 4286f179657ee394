import { expectArguments } from "../arguments.ts";
import { UserError } from "../errors.ts";
import { chainParameterCount, type Factors } from "./shapes.ts";

/** A matrix, and how long or how large its chain should be. */
export type AutomaticShape =
  & {
    /** Rows (outputs) of the matrix. */
    readonly rows: number;
    /** Columns (inputs) of the matrix. */
    readonly cols: number;
  }
  & ({
    /** The number of cores, from 2. */
    readonly cores: number;
  } | {
    /** Wanted parameters of the chain over those of this matrix, above 1. */
    readonly increaseRate: number;
  });

/** The longest chain that is chosen for a rate. The paper stops at 11 cores, and steps grow with each. */
export const MAX_AUTOMATIC_CORES = 12;

/** A count this near to the wanted one is taken, rather than a longer chain that comes still nearer. */
const NEAR_ENOUGH = 0.01;

/**
 * Factors of the form `[a, 1, .., 1, b]` for any matrix, as in all main results of OPDF.
 *
 * With `cores`, the rows split as `a >= b` nearest the square root, and so do the columns: 768 as 32 x 24, a square of
 * k as k x k, a prime p as p x 1. That makes the bond `min(a_i a_j, b_i b_j)` large, and with it the chain.
 *
 * With `increaseRate`, all ways to split the rows and the columns in two are tried with 2 to {@link
 * MAX_AUTOMATIC_CORES} cores. The fewest cores win that bring the parameter count within 1 % of the wanted one; if none
 * does, the nearest count. Among equals the split nearest the square roots is taken. Not every rate can be had: a chain
 * of n cores over a prime x prime matrix adds n - 1 numbers to it. {@link chainParameterCount} tells what came out.
 *
 * @throws UserError if a size is no positive whole number, there are fewer than 2 cores, or the rate is not above 1
 *
 * @example
 * ```ts
 * automaticFactors({ rows: 3072, cols: 768, cores: 4 }); // rows [64, 1, 1, 48], cols [32, 1, 1, 24]
 * automaticFactors({ rows: 768, cols: 768, increaseRate: 2.1 }); // rows and cols [32, 1, 24], rate 2.125
 * ```
 */
export function automaticFactors(shape: AutomaticShape): Factors {
  expectArguments("automaticFactors", { shape: [shape, "a map"] });
  if (!("increaseRate" in shape)) expectArguments("automaticFactors", { cores: [shape.cores, "a number"] });
  for (const size of [shape.rows, shape.cols]) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new UserError(
        `Cannot choose factors for a ${shape.rows} x ${shape.cols} matrix: sizes must be whole numbers from 1`,
      );
    }
  }
  if ("increaseRate" in shape) return nearestRate(shape.rows, shape.cols, shape.increaseRate);
  if (!Number.isInteger(shape.cores) || shape.cores < 2) {
    throw new UserError(`Cannot choose factors for ${shape.cores} cores: it must be a whole number from 2`);
  }
  return chain(splits(shape.rows)[0], splits(shape.cols)[0], shape.cores);
}

/**
 * The factors of the form `[a, 1, .., 1, b]` with which a chain of so many cores has the most numbers. They may pair a
 * large factor of the rows with a small one of the columns, which a prime x prime matrix needs.
 */
export function largestFactors(rows: number, cols: number, cores: number): Factors {
  expectArguments("largestFactors", {
    rows: [rows, "a whole number from 1"],
    cols: [cols, "a whole number from 1"],
    cores: [cores, "a whole number from 1"],
  });
  const all = splits(rows).flatMap((row) => splits(cols).map((col) => chain(row, col, cores)));
  const count = ({ rows, cols }: Factors) => chainParameterCount(rows, cols);
  return all.reduce((best, factors) => count(factors) > count(best) ? factors : best);
}

/** A number as a product of two: the factor of the first core and that of the last. */
type Split = readonly [first: number, last: number];

/** All splits of a number, those nearest the square root first, and of a pair the one that starts with the larger. */
function splits(size: number): Split[] {
  const found: Split[] = [];
  for (let small = Math.floor(Math.sqrt(size)); small >= 1; small--) {
    if (size % small !== 0) continue;
    const large = size / small;
    found.push([large, small]);
    if (large !== small) found.push([small, large]);
  }
  return found;
}

function chain(rows: Split, cols: Split, cores: number): Factors {
  const ones = new Array<number>(cores - 2).fill(1);
  return { rows: [rows[0], ...ones, rows[1]], cols: [cols[0], ...ones, cols[1]] };
}

function nearestRate(rows: number, cols: number, rate: number): Factors {
  if (!(rate > 1 && rate < Infinity)) {
    throw new UserError(
      `Cannot over-parameterise by a rate of ${rate}: parameters of the chain over those of the matrix must be above 1`,
    );
  }
  const wanted = rate * rows * cols;
  const rowSplits = splits(rows), colSplits = splits(cols);
  let best: Factors = { rows: [], cols: [] }, bestError = Infinity;
  for (let cores = 2; cores <= MAX_AUTOMATIC_CORES && bestError > NEAR_ENOUGH * wanted; cores++) {
    for (const row of rowSplits) {
      for (const col of colSplits) {
        const first = row[0] * col[0], last = row[1] * col[1];
        const bond = Math.min(first, last);
        const count = (first + last) * bond + (cores - 2) * bond * bond; // two ends and the middles between them
        const error = Math.abs(count - wanted);
        if (error < bestError) [best, bestError] = [chain(row, col, cores), error];
      }
    }
  }
  return best;
}

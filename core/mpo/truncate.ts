/** How far a chain may be cut; both limits hold where both are given, and bonds are full without any. */
export interface Truncation {
  /** No bond is larger than this. */
  readonly maxRank?: number;
  /**
   * `||W - MPO(W)||_F` is at most this times `||W||_F`, unless `maxRank` cuts more; 0 drops only what is exactly zero.
   */
  readonly tolerance?: number;
}

/**
 * Checks a truncation.
 *
 * @throws RangeError if the rank is no positive whole number, or the tolerance is not in [0, 1)
 */
export function checkTruncation({ maxRank, tolerance }: Truncation): void {
  if (maxRank !== undefined && !(Number.isInteger(maxRank) && maxRank >= 1)) {
    throw new RangeError(`Cannot truncate to rank ${maxRank}: it must be a whole number from 1`);
  }
  if (tolerance !== undefined && !(tolerance >= 0 && tolerance < 1)) {
    throw new RangeError(`Cannot truncate with tolerance ${tolerance}: it is relative, from 0 to below 1`);
  }
}

/** A bond after the cut. */
export interface Cut {
  /** How many singular values stay, at least 1: the bond's new dimension. */
  readonly rank: number;
  /** The Frobenius norm of what is cut: epsilon_k in Theorem 1 of OPDF. */
  readonly discarded: number;
}

/**
 * Cuts the bonds of a chain one after another. By Theorem 1 the error of the whole is at most
 * `sqrt(sum_k epsilon_k^2)`; so the tolerated square is shared out evenly among the bonds, and what one bond leaves
 * goes to those after it.
 */
export class Truncator {
  readonly #maxRank: number;
  #tolerated: number | null;

  /**
   * Starts with the whole tolerance left to spend.
   *
   * @param truncation the limits, checked before
   * @param norm `||W||_F` of the matrix
   * @param bonds how many cuts there will be
   */
  constructor({ maxRank, tolerance }: Truncation, norm: number, private bonds: number) {
    this.#maxRank = maxRank ?? Infinity;
    this.#tolerated = tolerance === undefined ? null : (tolerance * norm) ** 2;
  }

  /** Decides about the next bond. At least one singular value stays. */
  cut(singularValues: Float64Array): Cut {
    let rank = Math.min(singularValues.length, this.#maxRank);
    let square = 0;
    for (let k = singularValues.length - 1; k >= rank; k--) square += singularValues[k] ** 2;
    if (this.#tolerated !== null) {
      const share = Math.max(0, this.#tolerated) / this.bonds--;
      while (rank > 1 && square + singularValues[rank - 1] ** 2 <= share) square += singularValues[--rank] ** 2;
      this.#tolerated -= square;
    }
    return { rank, discarded: Math.sqrt(square) };
  }
}

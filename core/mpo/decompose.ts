import { expectArguments } from "../arguments.ts";
import { norm } from "../linalg/vector.ts";
import type { Chain } from "./chain.ts";
import { type Gauge, toGauge } from "./gauge.ts";
import { interleave } from "./interleave.ts";
import { hostLinearAlgebra, type LinearAlgebra } from "./linear_algebra.ts";
import { productOfCores } from "./merge_chain.ts";
import { bondDimensions, type Factors, validateFactors } from "./shapes.ts";
import { countCuts, leftSweep, type Sweep } from "./sweep.ts";
import { checkTruncation, type Truncation, Truncator } from "./truncate.ts";

/** How to decompose a matrix: its factors, the gauge, and how far to cut (not at all by default). */
export interface DecomposeOptions extends Factors, Truncation {
  /** `balanced` by default. */
  readonly gauge?: Gauge;
  /** Where the SVDs run: in float64 on the host by default. */
  readonly linearAlgebra?: LinearAlgebra;
}

/** A chain and what is known about it. */
export interface Decomposition {
  /** The chain, in float64. */
  readonly chain: Chain;
  /** The gauge that it is in. */
  readonly gauge: Gauge;
  /** The singular values of the chain at bonds 1 .. n-1, descending, as many as the bond is wide. */
  readonly singularValues: readonly Float64Array[];
  /** The Frobenius norm of what was cut at bonds 1 .. n-1. */
  readonly discarded: readonly number[];
  /** Theorem 1: `||W - MPO(W)||_F <= sqrt(sum_k discarded_k^2)`. */
  readonly errorBound: number;
  /** `||W||_F`. */
  readonly norm: number;
  /** In what the SVDs were computed: the numbers, and where. */
  readonly arithmetic: string;
}

/**
 * Decomposes a matrix into a chain of cores (matrix product operator; OPDF, section 4.2 and Algorithm S.2). Without
 * truncation the bonds are those of Eq. 3 and the product of the chain is the matrix.
 *
 * Zero and repeated singular values are no obstacle; the zero matrix has a chain too.
 *
 * @param matrix row-major `[matrixRows, matrixCols]`; a convolution kernel is the matrix outputs x (inputs * height *
 * width)
 * @throws UserError if the factors do not split the matrix
 * @throws RangeError if the matrix has another size, a number in it is not finite, or a limit of the truncation makes
 * no sense
 *
 * @example
 * ```ts
 * const weight = new Float32Array(768 * 768);
 * const { chain } = await decomposeMatrix(weight, 768, 768, { rows: [32, 1, 24], cols: [32, 1, 24] });
 * chain.bonds; // [1, 576, 576, 1]
 * ```
 */
export async function decomposeMatrix(
  matrix: Float64Array | Float32Array,
  matrixRows: number,
  matrixCols: number,
  options: DecomposeOptions,
): Promise<Decomposition> {
  expectArguments("decomposeMatrix", {
    matrix: [matrix, "numbers"],
    matrixRows: [matrixRows, "a whole number from 1"],
    matrixCols: [matrixCols, "a whole number from 1"],
    options: [options, "factors, { rows, cols }"],
  });
  const { gauge = "balanced", linearAlgebra = hostLinearAlgebra } = options;
  const factors: Factors = { rows: [...options.rows], cols: [...options.cols] };
  validateFactors(matrixRows, matrixCols, factors.rows, factors.cols);
  checkTruncation(options);
  if (matrix.length !== matrixRows * matrixCols) {
    throw new RangeError(
      `Cannot decompose a ${matrixRows} x ${matrixCols} matrix from ${matrix.length} numbers: it has ` +
        `${matrixRows * matrixCols}`,
    );
  }
  const interleaved = interleave(matrix, factors);
  const size = norm(interleaved);
  const cuts = countCuts(factors);
  const truncator = new Truncator(options, size, cuts);
  const first = await leftSweep(interleaved, factors, (values) => truncator.cut(values), linearAlgebra);
  const full = bondDimensions(factors.rows, factors.cols);
  const isCut = first.bonds.some((bond, k) => bond < full[k]);
  const sweep = isCut && cuts > 1 ? await sweptAgain(first, factors, linearAlgebra) : first;
  return {
    chain: { ...factors, bonds: sweep.bonds, cores: toGauge(sweep, factors, gauge) },
    gauge,
    singularValues: sweep.singularValues,
    discarded: first.discarded,
    errorBound: Math.hypot(...first.discarded),
    norm: size,
    arithmetic: [...new Set(sweep.arithmetic.map(({ name }) => name))].join(", "),
  };
}

/**
 * A cut changes the singular values at the bonds before it. Those of the chain as it is now come from a sweep over its
 * product, which has the ranks that were chosen, so that nothing but rounding is lost.
 */
function sweptAgain(sweep: Sweep, factors: Factors, linearAlgebra: LinearAlgebra): Promise<Sweep> {
  const ranks = [...sweep.bonds];
  for (let k = ranks.length - 2; k > 0; k--) {
    // No bond can carry more than the bond after it and the legs between them.
    ranks[k] = Math.min(ranks[k], factors.rows[k] * factors.cols[k] * ranks[k + 1]);
  }
  const cut = (values: Float64Array, bond: number) => ({ rank: Math.min(ranks[bond], values.length), discarded: 0 });
  return leftSweep(productOfCores(sweep.cores, sweep.bonds), factors, cut, linearAlgebra);
}

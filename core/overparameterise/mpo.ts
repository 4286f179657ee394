import type { Device } from "../device.ts";
import { breathe } from "../evaluate/breathe.ts";
import { automaticFactors } from "../mpo/automatic_shapes.ts";
import { type Chain, type ChainShape, coreShape } from "../mpo/chain.ts";
import { decomposeMatrix } from "../mpo/decompose.ts";
import { type LinearAlgebra, linearAlgebraOn } from "../mpo/linear_algebra.ts";
import { mergeChain, mergeOnHost, planMerge } from "../mpo/merge_chain.ts";
import { bondDimensions, validateFactors } from "../mpo/shapes.ts";
import { matrixSize } from "../nn/matrix_size.ts";
import type { ChainSpec } from "../plugin/chains.ts";
import type { OverParameterisation } from "../recipe/recipe_type.ts";
import type { WeightProvider } from "./weight_provider.ts";

/**
 * A weight as a chain of cores (a matrix product operator), which is contracted: the matrix of OPDF. A leg of its own
 * for the places of a kernel is a matter of factors: rows `[.., 1]` with cols `[.., height * width]`.
 *
 * @returns `null` for one core, which is the weight itself
 * @throws UserError for factors that do not split the matrix
 */
export function mpo(entry: OverParameterisation, shape: readonly number[]): WeightProvider | null {
  const spec = chainSpec(entry, shape);
  return spec && chainProvider(spec, shape);
}

function chainSpec(
  { cores, rows, cols, increaseRate, gauge }: OverParameterisation,
  shape: readonly number[],
): ChainSpec | null {
  const matrix = matrixSize(shape);
  if (rows && cols) {
    validateFactors(matrix.rows, matrix.cols, rows, cols);
    return { rows, cols, gauge };
  }
  if (increaseRate !== null) {
    return increaseRate === 1 ? null : { ...automaticFactors({ ...matrix, increaseRate }), gauge };
  }
  return cores === 1 ? null : { ...automaticFactors({ ...matrix, cores: cores! }), gauge };
}

/** The provider of a weight that is split in this way. */
export function chainProvider(spec: ChainSpec, shape: readonly number[]): WeightProvider {
  const { rows, cols } = spec;
  const chain: ChainShape = { rows, cols, bonds: bondDimensions(rows, cols) };
  return {
    use: "mpo",
    source: "OPDF, arXiv:2411.06448",
    heldAs: `${rows.length} cores`,
    shapes: rows.map((_, core) => coreShape(chain, core)),
    depth: rows.length,
    get multiplyAdds() {
      return planMerge(chain).multiplyAdds;
    },
    chain: spec,
    start: async (weight, { device }) => [...(await decomposeWeight(device, weight, shape, spec)).cores],
    weight: (ops, cores) => ops.reshape(mergeChain(ops, cores, rows, cols), shape),
    merge: (cores) => mergeOnHost({ ...chain, cores }),
  };
}

/**
 * Decomposes one weight where that is fastest for its size (see `linearAlgebraOn`), and lets signals through on the
 * way.
 */
export async function decomposeWeight(
  device: Device,
  weight: Float32Array,
  shape: readonly number[],
  spec: ChainSpec,
): Promise<Chain> {
  const { rows, cols } = matrixSize(shape);
  const { svd } = linearAlgebraOn(device);
  const linearAlgebra: LinearAlgebra = {
    async svd(...matrix) {
      await breathe();
      return await svd(...matrix);
    },
  };
  return (await decomposeMatrix(weight, rows, cols, { ...spec, linearAlgebra })).chain;
}

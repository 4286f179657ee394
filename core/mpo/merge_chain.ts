import { expectArguments } from "../arguments.ts";
import { contractIndices, type ContractionPlan, planIndices } from "../contract.ts";
import { multiplyByTransposed, transpose } from "../linalg/matrix.ts";
import type { Ops } from "../ops/ops.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { type Chain, type ChainShape, coreShape } from "./chain.ts";
import { deinterleave } from "./interleave.ts";
import { legSizes } from "./shapes.ts";

/**
 * The matrix of a chain, `[I, J]`: contracted in the cheapest order, which for `[a, 1, .., 1, b]` folds the small
 * square middles first. Gradients go to all cores.
 *
 * @param cores `[d_{k-1}, i_k, j_k, d_k]` each
 * @throws RangeError if the cores do not fit the factors or one another
 */
export function mergeChain(
  ops: Ops,
  cores: readonly Tensor[],
  rows: readonly number[],
  cols: readonly number[],
): Tensor {
  expectArguments("mergeChain", {
    ops: [ops, "operations (see createOps)"],
    cores: [cores, "a list of tensors"],
    rows: [rows, "a list of numbers"],
    cols: [cols, "a list of numbers"],
  });
  const { inputs, output } = chainIndices(cores.length);
  const interleaved = contractIndices(ops, inputs, output, cores); // [d_0, i_1 .. i_n, j_1 .. j_n, d_n]
  const shape = [1, ...rows, ...cols, 1];
  if (interleaved.shape.join() !== shape.join()) {
    throw new RangeError(
      `Cannot merge cores of shapes ${cores.map((core) => `[${core.shape.join(", ")}]`).join(" ")} to rows ` +
        `[${rows.join(", ")}] and cols [${cols.join(", ")}]: their legs differ`,
    );
  }
  return ops.reshape(interleaved, [sizeOf(rows), sizeOf(cols)]);
}

/** How {@link mergeChain} contracts a chain, and at what cost. */
export function planMerge(shape: ChainShape): ContractionPlan {
  expectArguments("planMerge", { shape: [shape, "the shape of a chain, { rows, cols, bonds }"] });
  const { inputs, output } = chainIndices(shape.rows.length);
  return planIndices(inputs, output, inputs.map((_, core) => coreShape(shape, core)));
}

/** Multiply-adds of the contraction from left to right, as the published code does it. */
export function leftToRightMultiplyAdds(shape: ChainShape): number {
  let left = 1, sum = 0;
  legSizes(shape).forEach((leg, core) => {
    if (core > 0) sum += left * shape.bonds[core] * leg * shape.bonds[core + 1];
    left *= leg;
  });
  return sum;
}

/** The matrix of a chain in float64 on the host, row-major `[I, J]`: for checks and reports. */
export function mergeOnHost(chain: Chain): Float64Array {
  expectArguments("mergeOnHost", { chain: [chain, "a chain, { rows, cols, bonds, cores }"] });
  return deinterleave(productOfCores(chain.cores, chain.bonds), chain);
}

/** The product of cores on the host, in the order `[i_1, j_1, .. i_n, j_n]`. */
export function productOfCores(cores: readonly Float64Array[], bonds: readonly number[]): Float64Array {
  return cores.reduce((product, core, index) => { // product: [i_1 j_1 .. i_k j_k, d_k]
    const bond = bonds[index], cols = core.length / bond;
    return multiplyByTransposed(product, transpose(core, bond, cols), product.length / bond, cols, bond);
  });
}

interface ChainIndices {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

const indices: ChainIndices[] = [];

/** The indices of n cores and of their product. */
function chainIndices(order: number): ChainIndices {
  return indices[order] ??= {
    inputs: Array.from({ length: order }, (_, core) => [`d${core}`, `i${core + 1}`, `j${core + 1}`, `d${core + 1}`]),
    output: [
      "d0",
      ...["i", "j"].flatMap((leg) => Array.from({ length: order }, (_, core) => `${leg}${core + 1}`)),
      `d${order}`,
    ],
  };
}

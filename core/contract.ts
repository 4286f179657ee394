import { expectArguments } from "./arguments.ts";
import { execute } from "./contract/execute.ts";
import { type Index, notationOf, parsePattern } from "./contract/notation.ts";
import { planOf } from "./contract/plan.ts";
import type { ContractionPrimitives } from "./contract/primitives.ts";
import type { Tensor } from "./tensor.ts";

export type { Arrangement, PairMethod } from "./contract/arrangement.ts";
export type { Index, Notation } from "./contract/notation.ts";
export { type ContractionPlan, planContraction, planIndices } from "./contract/plan.ts";
export type { ContractionPrimitives } from "./contract/primitives.ts";
export type { Step, StepMethod } from "./contract/steps.ts";

/**
 * Multiplies tensors and sums over indices, in einsum notation: with `"abc,cd->abd"` the result is
 * `y[a,b,d] = sum_c x[a,b,c] w[c,d]`. The operands, any number of them, are contracted two at a time in the cheapest
 * order, which {@link planContraction} shows, each pair as one batched matrix product. Gradients go to all operands.
 *
 * Without `->` the result has the indices that occur once, in alphabetical order, as in NumPy. An index that stands
 * twice in one operand is refused: a trace is `"ij,ij->"` with an identity matrix.
 *
 * @returns a tensor with the result's indices as dimensions; a scalar of shape `[]` if there are none
 * @throws SyntaxError if the pattern cannot be read
 * @throws RangeError if the shapes do not fit it; the message quotes both
 *
 * @example
 * ```ts
 * import { createOps, openBackend } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const queries = ops.full([2, 5, 4, 8], 1); // [batch, length, heads, width]
 * const keys = ops.full([2, 7, 4, 8], 1);
 * const scores = contract(ops, "bqhd,bkhd->bhqk", queries, keys); // [2, 4, 5, 7]
 * ```
 */
export function contract(ops: ContractionPrimitives, pattern: string, ...tensors: readonly Tensor[]): Tensor {
  expectArguments("contract", {
    ops: [ops, "a map"],
    pattern: [pattern, "a text"],
    tensors: [tensors, "a list of tensors"],
  });
  return execute(ops, planOf(parsePattern(pattern), tensors.map((tensor) => tensor.shape)), tensors);
}

/**
 * {@link contract} with the indices given as lists, one list for each operand: for more than 52 of them, or names that
 * say what they are.
 *
 * @example
 * ```ts
 * import { createOps, openBackend } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const a = ops.tensor([1, 2, 3, 4], [2, 2]);
 * const b = ops.tensor([0, 1, 1, 0], [2, 2]);
 * contractIndices(ops, [["i1", "d"], ["d", "i2"]], ["i1", "i2"], [a, b]); // a b, the matrix product
 * ```
 */
export function contractIndices(
  ops: ContractionPrimitives,
  inputs: readonly (readonly Index[])[],
  output: readonly Index[],
  tensors: readonly Tensor[],
): Tensor {
  expectArguments("contractIndices", {
    ops: [ops, "a map"],
    inputs: [inputs, "a list of lists"],
    output: [output, "a list"],
    tensors: [tensors, "a list of tensors"],
  });
  return execute(ops, planOf(notationOf(inputs, output), tensors.map((tensor) => tensor.shape)), tensors);
}

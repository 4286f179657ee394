import { expectArguments } from "../arguments.ts";
import { sizeOf } from "../tensor.ts";
import { networkOf, sizeOfIndices } from "./network.ts";
import { type Index, type Notation, notationOf, parsePattern } from "./notation.ts";
import { showPlan } from "./report.ts";
import { type Step, stepsOf } from "./steps.ts";

/**
 * In which order a contraction is computed, and at what cost. `String(plan)` is a report for people.
 *
 * A multiply-add is one multiplication together with the addition that takes its product up; sums of a single operand
 * and permutations count none.
 */
export class ContractionPlan {
  /** The pairwise products in their order. */
  readonly steps: readonly Step[];
  /** Whether all orders were compared, or the cheapest pair came first. */
  readonly search: "optimal" | "greedy";
  /** Multiply-adds of all steps. */
  readonly multiplyAdds: number;
  /** Multiply-adds of one loop nest over all indices that multiplies all operands in its heart. */
  readonly naiveMultiplyAdds: number;
  /** Numbers in the largest result that is neither an input nor the last. */
  readonly largestIntermediate: number;
  /** The shapes of the inputs without their extents of 1, as the steps take them. */
  readonly innerShapes: readonly (readonly number[])[];
  /** Shape of the result. */
  readonly outputShape: readonly number[];

  /** Plans the contraction of operands of these shapes. */
  constructor(readonly notation: Notation, readonly shapes: readonly (readonly number[])[]) {
    const network = networkOf(notation, shapes);
    const extentsOf = (indices: readonly Index[]) => indices.map((index) => network.extents.get(index)!);
    ({ steps: this.steps, search: this.search } = stepsOf(network));
    this.multiplyAdds = this.steps.reduce((sum, step) => sum + step.multiplyAdds, 0);
    this.naiveMultiplyAdds = sizeOfIndices(network.extents.keys(), network.extents) * (shapes.length - 1);
    this.largestIntermediate = Math.max(0, ...this.steps.slice(0, -1).map(({ shape }) => sizeOf(shape)));
    this.innerShapes = network.inputs.map(extentsOf);
    this.outputShape = extentsOf(notation.output);
  }

  /** The plan as a report for people. */
  toString(): string {
    return showPlan(this);
  }
}

/**
 * Plans a contraction given as a pattern such as `"abc,cd->abd"`.
 *
 * @param shapes one for each operand
 * @throws SyntaxError if the pattern cannot be read
 * @throws RangeError if the shapes do not fit it
 *
 * @example
 * ```ts
 * const plan = planContraction("ab,bc,cd->ad", [[10, 1000], [1000, 5], [5, 60]]);
 * plan.multiplyAdds; // 53000: first ab,bc->ac, then ac,cd->ad
 * console.log(String(plan)); // as a table
 * ```
 */
export function planContraction(pattern: string, shapes: readonly (readonly number[])[]): ContractionPlan {
  expectArguments("planContraction", { pattern: [pattern, "a text"], shapes: [shapes, "a list of lists"] });
  return planOf(parsePattern(pattern), shapes);
}

/** {@link planContraction} for indices given as lists of names. */
export function planIndices(
  inputs: readonly (readonly Index[])[],
  output: readonly Index[],
  shapes: readonly (readonly number[])[],
): ContractionPlan {
  expectArguments("planIndices", {
    inputs: [inputs, "a list of lists"],
    output: [output, "a list"],
    shapes: [shapes, "a list of lists"],
  });
  return planOf(notationOf(inputs, output), shapes);
}

const plans = new WeakMap<Notation, Map<string, ContractionPlan>>();

/** The plan of a notation for some shapes, made once. */
export function planOf(notation: Notation, shapes: readonly (readonly number[])[]): ContractionPlan {
  let ofNotation = plans.get(notation);
  if (!ofNotation) plans.set(notation, ofNotation = new Map());
  const key = shapes.join(";");
  let plan = ofNotation.get(key);
  if (!plan) ofNotation.set(key, plan = new ContractionPlan(notation, shapes.map((shape) => [...shape])));
  return plan;
}

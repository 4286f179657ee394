import type { Random } from "../data/random.ts";
import type { Device } from "../device.ts";
import type { Ops } from "../ops/ops.ts";
import type { ChainSpec } from "../plugin/chains.ts";
import type { OverParameterisation } from "../recipe/recipe_type.ts";
import { sizeOf, type Tensor } from "../tensor.ts";

/**
 * How one weight is held while it is trained: as tensors with more numbers than it has, of which it is made anew in
 * each step. It begins as the weight that it is given, and ends as the plain tensor that `merge` makes.
 */
export interface WeightProvider {
  /** Its kind, as a recipe names it. */
  readonly use: OverParameterisation["use"];
  /** Where it was published: `OPDF, arXiv:2411.06448`. */
  readonly source: string;
  /** What the weight is held as, in a few words: `3 cores`. */
  readonly heldAs: string;
  /** The shapes of the tensors that are trained in the weight's place. */
  readonly shapes: readonly (readonly number[])[];
  /** How many of these are multiplied with each other: with three or more, first steps can throw norms up. */
  readonly depth: number;
  /** Multiply-adds of making the weight once. */
  readonly multiplyAdds: number;
  /** How the weight is split, if it is a chain, whose cores losses may compare; else `null`. */
  readonly chain: ChainSpec | null;
  /** The tensors that make a weight, row-major. What is free in them is drawn from `random`. */
  start(weight: Float32Array, place: { readonly device: Device; readonly random: Random }): Promise<Float64Array[]>;
  /** The numbers that a training step draws for the weight; left out of a kind that is the same in all steps. */
  readonly draw?: (random: Random) => Float32Array;
  /**
   * The weight in its own shape; gradients go to all tensors.
   *
   * @param drawn what was drawn for this step; `null` for the weight that the student ends with
   */
  weight(ops: Ops, tensors: readonly Tensor[], drawn: Tensor | null): Tensor;
  /** The weight that the student ends with, row-major, in float64 on the host. */
  merge(tensors: readonly Float64Array[]): Float64Array;
}

/** A weight that is held by a provider. */
export interface OverParameterised {
  /** How it is held. */
  readonly provider: WeightProvider;
  /** The tensors that training begins with, row-major. */
  readonly start: readonly Float64Array[];
}

/** How many numbers are trained in a weight's place. */
export function trainedNumbers({ shapes }: Pick<WeightProvider, "shapes">): number {
  return shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
}

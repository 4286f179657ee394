import { sizeOf } from "../../core/tensor.ts";
import { pseudoRandom } from "../support/numbers.ts";
import values from "./golden.json" with { type: "json" };

/** Expected values in float64; README.md beside it says what they are and how their inputs are made. */
export const golden = values;

/** The inputs' generator of golden.json: row-major numbers in [-1, 1). */
export function gen(shape: readonly number[], seed: number): Float64Array {
  return pseudoRandom(seed, sizeOf(shape));
}

import type { ForwardCall, ParameterSpec } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { table } from "../encoder/parameters.ts";
import { RELATIVE } from "./names.ts";
import type { BertSizes } from "./sizes.ts";

/** Kinds of distances between tokens that MPNet tells apart (as T5 does: Raffel et al. 2020, arXiv 1910.10683). */
export const BUCKETS = 32;

/** Of the half that is for either direction, the distances that have a bucket each. */
const EXACT = BUCKETS / 4;

type Sizes = Pick<BertSizes, "variant" | "heads">;

/** What is added to attention by distance, if the variant has it: a number for each head, the same in all blocks. */
export function relativeParameters({ variant, heads }: Sizes): ParameterSpec[] {
  return variant === "mpnet" ? [table(`${variant}.${RELATIVE}`, BUCKETS, heads)] : [];
}

/** The same for the tokens of a batch, `[1, heads, length, length]`; `null` if the variant has none. */
export function relativeBias({ ops, weights, batch }: ForwardCall, { variant, heads }: Sizes): Tensor | null {
  if (variant !== "mpnet") return null;
  const [, length] = batch.tokens.shape;
  const numbers = Float32Array.from(
    { length: length * length },
    (_, index) => bucketOf(index % length - Math.floor(index / length)),
  );
  return ops.scope(() => {
    const rows = ops.embedding(weights.get(`${variant}.${RELATIVE}.weight`), ops.tensor(numbers, [length, length]));
    return ops.reshape(ops.permute(rows, [2, 0, 1]), [1, heads, length, length]);
  });
}

/**
 * The bucket of a distance: one each for small ones, and then eight that grow by the square root of 2, the last one
 * without end; later tokens have the upper half.
 *
 * @param distance the place that is attended to, less that of the token which attends
 */
export function bucketOf(distance: number): number {
  const far = Math.abs(distance);
  // EXACT sqrt(2)^k is reached when the square is EXACT^2 2^k, which is exact where logarithms are not.
  const grown = far < EXACT ? far : EXACT + Math.floor(Math.log2(far ** 2 / EXACT ** 2));
  return Math.min(grown, BUCKETS / 2 - 1) + (distance > 0 ? BUCKETS / 2 : 0);
}

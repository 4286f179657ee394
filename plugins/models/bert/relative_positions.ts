import type { ForwardCall, ParameterSpec } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { table } from "../encoder/parameters.ts";
import { RELATIVE } from "./names.ts";
import { type BertSizes, mostTokens } from "./sizes.ts";

/** Kinds of distances between tokens that MPNet tells apart (as T5 does: Raffel et al. 2020, arXiv 1910.10683). */
export const BUCKETS = 32;

/** Of the half that is for either direction, the distances that have a bucket each. */
const EXACT = BUCKETS / 4;

/** The most tokens for which the buckets of all pairs of places are one table, whatever a batch's length is. */
const MOST_TABLED = 1024;

/** What is added to attention by distance, if the variant has it: a number for each head, the same in all blocks. */
export function relativeParameters({ variant, heads }: Pick<BertSizes, "variant" | "heads">): ParameterSpec[] {
  return variant === "mpnet" ? [table(`${variant}.${RELATIVE}`, BUCKETS, heads)] : [];
}

/** The same for the tokens of a batch, `[1, heads, length, length]`; `null` if the variant has none. */
export function relativeBias({ ops, weights, batch }: ForwardCall, sizes: BertSizes): Tensor | null {
  const { variant, heads } = sizes;
  if (variant !== "mpnet") return null;
  const [, length] = batch.tokens.shape;
  const most = mostTokens(sizes);
  // The numbers do not follow the length, so that a graph of the operations holds for every length.
  const places = most <= MOST_TABLED ? most : length;
  return ops.scope(() => {
    const all = ops.tensor(bucketTable(places), [places, places]);
    const buckets = [0, 1].reduce((part, axis) => ops.slice(part, { axis, begin: 0, length }), all);
    const rows = ops.embedding(weights.get(`${variant}.${RELATIVE}.weight`), buckets);
    return ops.reshape(ops.permute(rows, [2, 0, 1]), [1, heads, length, length]);
  });
}

/** The bucket of each place, seen from each, row by row. */
function bucketTable(places: number): Float32Array {
  const ofDistance = Float32Array.from({ length: 2 * places - 1 }, (_, index) => bucketOf(index - places + 1));
  const buckets = new Float32Array(places ** 2);
  for (let row = 0; row < places; row++) {
    buckets.set(ofDistance.subarray(places - 1 - row, 2 * places - 1 - row), row * places);
  }
  return buckets;
}

/**
 * The bucket of a distance: one each for small ones, and then eight that grow by the square root of 2, the last one
 * without end; later tokens have the upper half.
 *
 * @param distance the place that is attended to, less that of the token which attends
 */
export function bucketOf(distance: number): number {
  const far = Math.abs(distance);
  // The k-th of them begins at EXACT sqrt(2)^k; of squares these are powers of 2, whose logarithms are exact.
  const grown = far < EXACT ? far : EXACT + Math.floor(Math.log2(far ** 2 / EXACT ** 2));
  return Math.min(grown, BUCKETS / 2 - 1) + (distance > 0 ? BUCKETS / 2 : 0);
}

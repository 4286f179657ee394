import { firstIndices } from "../data/loader.ts";
import { Random } from "../data/random.ts";

/**
 * Some of a list's examples, drawn by the seed, in their order: the same for every model. All of them if `most` is
 * `null`, or there are no more.
 */
export function someExamples(length: number, most: number | null, seed: number): Uint32Array {
  const all = firstIndices(length);
  if (most === null || length <= most) return all;
  return new Random(seed).split("assessed examples").shuffle(all).slice(0, most).sort();
}

import type { ScoredPairs } from "./dataset.ts";

/**
 * The pairs that are left of a list of examples of which some are chosen: those of which both are.
 *
 * @param chosen numbers of examples, each once
 */
export function pairsAmong({ first, second, scores }: ScoredPairs, chosen: Uint32Array): ScoredPairs {
  const places = new Map(Array.from(chosen, (index, place) => [index, place]));
  const kept = Array.from(first, (_, pair) => pair).filter((pair) =>
    places.has(first[pair]) && places.has(second[pair])
  );
  return {
    first: Uint32Array.from(kept, (pair) => places.get(first[pair])!),
    second: Uint32Array.from(kept, (pair) => places.get(second[pair])!),
    scores: Float32Array.from(kept, (pair) => scores[pair]),
  };
}

/** Of each of some examples a 1 if it is in a pair, else a 0. */
export function inPairs({ first, second }: ScoredPairs, count: number): Uint8Array {
  const marks = new Uint8Array(count);
  for (const index of [...first, ...second]) marks[index] = 1;
  return marks;
}

/** The numbers of the examples in some pairs, in order. */
export function examplesOf({ first, second }: ScoredPairs, chosen: Iterable<number>): Uint32Array {
  const numbers = new Set<number>();
  for (const pair of chosen) numbers.add(first[pair]).add(second[pair]);
  return Uint32Array.from(numbers).sort();
}

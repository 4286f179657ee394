import { type Network, sizeOfIndices } from "./network.ts";
import type { Index } from "./notation.ts";
import { UseCount } from "./use_count.ts";

/**
 * Two operands to contract with each other. Operands are numbered: the inputs, then the results of the pairs before.
 */
export type Pair = readonly [first: number, second: number];

/**
 * Up to so many operands all orders are compared, in 3^n steps: some 30 ms once. Beyond, the cheapest pair goes first.
 */
export const MAX_OPTIMAL_OPERANDS = 10;

/** An order of pairs, and how it was found. */
export interface Order {
  readonly pairs: readonly Pair[];
  readonly search: "optimal" | "greedy";
}

/**
 * In which order to contract a network whose every index occurs in two operands or in the result: fewest multiply-adds,
 * and among equals the smallest largest intermediate result.
 */
export function findOrder(network: Network): Order {
  if (network.inputs.length <= MAX_OPTIMAL_OPERANDS) return { pairs: optimalPairs(network), search: "optimal" };
  return { pairs: greedyPairs(network), search: "greedy" };
}

/** The best way to contract a set of operands into one. */
interface Best {
  readonly indices: readonly Index[];
  readonly size: number;
  readonly cost: number;
  /** Numbers in the largest result before the last. */
  readonly largest: number;
  /** One of the two sets that are contracted last; 0 for a single operand. */
  readonly part: number;
}

/** Dynamic programming over the sets of operands, written as bit sets: outer products are tried like any other pair. */
export function optimalPairs({ inputs, output, extents }: Network): Pair[] {
  const holders = new Map<Index, number>(); // index -> the operands that have it
  inputs.forEach((indices, operand) => {
    for (const index of indices) holders.set(index, (holders.get(index) ?? 0) | (1 << operand));
  });
  const needed = new Set(output);
  const best: Best[] = [];
  const all = 2 ** inputs.length - 1;
  for (let set = 1; set <= all; set++) {
    const indices = [...holders.keys()].filter((index) => {
      const mask = holders.get(index)!;
      return (mask & set) !== 0 && (needed.has(index) || (mask & ~set) !== 0);
    });
    const size = sizeOfIndices(indices, extents);
    const lowest = set & -set;
    best[set] = { indices, size, cost: set === lowest ? 0 : Infinity, largest: 0, part: 0 };
    // Of the two halves of each division, the one with the lowest operand.
    for (let part = (set - 1) & set; part > 0; part = (part - 1) & set) {
      if ((part & lowest) === 0) continue;
      const a = best[part], b = best[set ^ part];
      const cost = a.cost + b.cost + sizeOfIndices(new Set([...a.indices, ...b.indices]), extents);
      const largest = Math.max(a.largest, b.largest, resultSize(a), resultSize(b));
      if (cost < best[set].cost || (cost === best[set].cost && largest < best[set].largest)) {
        best[set] = { indices, size, cost, largest, part };
      }
    }
  }
  const pairs: Pair[] = [];
  const contract = (set: number): number => {
    const { part } = best[set];
    if (part === 0) return 31 - Math.clz32(set);
    pairs.push([contract(part), contract(set ^ part)]);
    return inputs.length + pairs.length - 1;
  };
  contract(all);
  return pairs;
}

/** The size of a set of operands as an intermediate result; a single operand costs nothing more. */
function resultSize({ part, size }: Best): number {
  return part === 0 ? 0 : size;
}

/**
 * Always the cheapest pair of operands that share an index, and of equally cheap ones that with the smallest result.
 * Outer products come last, the smallest operands first.
 */
export function greedyPairs({ inputs, output, extents }: Network): Pair[] {
  const pairs: Pair[] = [];
  const live = new Map(inputs.map((indices, operand) => [operand, indices]));
  const uses = new UseCount([...inputs, output]);
  while (live.size > 1) {
    let chosen: { pair: Pair; indices: Index[]; rank: number[] } | null = null;
    for (const [a, first] of live) {
      for (const [b, second] of live) {
        if (b <= a) continue;
        const union = new Set([...first, ...second]);
        const outer = union.size === first.length + second.length;
        const indices = uses.kept(first, second);
        const rank = [Number(outer), sizeOfIndices(union, extents), sizeOfIndices(indices, extents)];
        if (!chosen || precedes(rank, chosen.rank)) chosen = { pair: [a, b], indices, rank };
      }
    }
    const { pair, indices } = chosen!;
    for (const operand of pair) {
      uses.remove(live.get(operand)!);
      live.delete(operand);
    }
    uses.add(indices);
    live.set(inputs.length + pairs.length, indices);
    pairs.push(pair);
  }
  return pairs;
}

function precedes(a: readonly number[], b: readonly number[]): boolean {
  const place = a.findIndex((value, index) => value !== b[index]);
  return place !== -1 && a[place] < b[place];
}

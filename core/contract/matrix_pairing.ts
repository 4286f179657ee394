import { type Arrangement, numbersMoved, orderTo, type Pairing, type PairQuestion } from "./arrangement.ts";
import { sizeOfIndices } from "./network.ts";
import type { Index } from "./notation.ts";

type Extents = PairQuestion["extents"];

/** One order for each group of indices: of the batch, of the summed ones, of those that only one operand has. */
interface Groups {
  readonly batch: readonly Index[];
  readonly inner: readonly Index[];
  readonly rows: readonly Index[];
  readonly cols: readonly Index[];
}

/**
 * One batched matrix product for two operands. Indices that lie side by side form the batch, row, column or inner
 * dimension as they are, transposed by a flag where need be; an operand is permuted only where they do not. Of all
 * orders that the operands and the wanted result suggest, the one that moves the fewest numbers.
 */
export function matrixPairing(question: PairQuestion): Pairing {
  const { a, b, wanted, extents } = question;
  let best: Pairing | null = null;
  let fewest = Infinity;
  for (const swapped of [false, true]) {
    const [first, second] = swapped ? [b, a] : [a, b];
    for (const { batch, inner, rows, cols } of groupings(first, second, question)) {
      const left = asMatrix(first, batch, rows, inner, extents);
      const right = asMatrix(second, batch, inner, cols, extents);
      const result = [...batch, ...rows, ...cols];
      const after = wanted ? numbersMoved(result, orderTo(result, wanted), extents) : 0;
      const moved = left.moved + right.moved + after;
      if (moved >= fewest) continue;
      fewest = moved;
      best = {
        method: {
          name: "matmul",
          first: left.arrangement,
          second: right.arrangement,
          transposeFirst: left.transpose,
          transposeSecond: right.transpose,
        },
        swapped,
        result,
      };
    }
  }
  return best!;
}

function* groupings(first: readonly Index[], second: readonly Index[], question: PairQuestion): Generator<Groups> {
  const { keep, wanted } = question;
  const shared = (index: Index) => first.includes(index) && second.includes(index);
  // The order of a group may come from any list that holds all of it.
  const orders = (belongs: (index: Index) => boolean, ...lists: (readonly Index[])[]) => {
    const found = lists.map((list) => list.filter(belongs));
    return found.filter((order, place) => found.findIndex((other) => !orderTo(other, order)) === place);
  };
  const target = wanted ? [wanted] : [];
  for (const batch of orders((index) => shared(index) && keep.has(index), first, second, ...target)) {
    for (const inner of orders((index) => shared(index) && !keep.has(index), first, second)) {
      for (const rows of orders((index) => first.includes(index) && !shared(index), first, ...target)) {
        for (const cols of orders((index) => second.includes(index) && !shared(index), second, ...target)) {
          yield { batch, inner, rows, cols };
        }
      }
    }
  }
}

/** An operand seen as `[batch, rows, cols]`, or stored with the last two exchanged. */
function asMatrix(
  indices: readonly Index[],
  batch: readonly Index[],
  rows: readonly Index[],
  cols: readonly Index[],
  extents: Extents,
): { arrangement: Arrangement; transpose: boolean; moved: number } {
  const straight = orderTo(indices, [...batch, ...rows, ...cols]);
  const transpose = straight !== null && orderTo(indices, [...batch, ...cols, ...rows]) === null;
  const order = transpose ? null : straight;
  const groups = transpose ? [cols, rows] : [rows, cols];
  const extent = batch.length > 0 ? [sizeOfIndices(batch, extents)] : [];
  return {
    arrangement: { order, shape: [...extent, ...groups.map((group) => sizeOfIndices(group, extents))] },
    transpose,
    moved: numbersMoved(indices, order, extents),
  };
}

import { orderTo, type PairMethod, type PairQuestion } from "./arrangement.ts";
import { elementwisePairing } from "./elementwise_pairing.ts";
import { matrixPairing } from "./matrix_pairing.ts";
import { type Network, sizeOfIndices } from "./network.ts";
import { type Index, showPattern } from "./notation.ts";
import { findOrder, type Order } from "./order.ts";

/** What a step computes from its operands. */
export type StepMethod =
  | PairMethod
  | { readonly name: "sum"; readonly axes: readonly number[] }
  | { readonly name: "permute"; readonly order: readonly number[] };

/** One step of a plan. Operands are numbered from 0: the inputs, then the results of the steps in their order. */
export interface Step {
  readonly operands: readonly number[];
  readonly method: StepMethod;
  /** The step in the notation of the whole, without indices of extent 1. */
  readonly pattern: string;
  /** Of the result. */
  readonly shape: readonly number[];
  readonly multiplyAdds: number;
}

/**
 * The steps of a contraction: sums over indices that only one operand has, the pairs in the order found, and a permutation
 * if the last result does not come out as asked.
 */
export function stepsOf(network: Network): { steps: Step[]; search: Order["search"] } {
  const steps: Step[] = [];
  const operands = [...network.inputs];
  const uses = new UseCount([...network.inputs, network.output]);

  const add = (from: readonly number[], method: StepMethod, result: readonly Index[]): number => {
    const inputs = from.map((operand) => operands[operand]);
    steps.push({
      operands: from,
      method,
      pattern: showPattern(inputs, result),
      shape: result.map((index) => network.extents.get(index)!),
      multiplyAdds: from.length === 2 ? sizeOfIndices(new Set(inputs.flat()), network.extents) : 0,
    });
    inputs.forEach((indices) => uses.remove(indices));
    uses.add(result);
    return operands.push(result) - 1;
  };

  // Every index that only one operand has is gone before the first product.
  const live = network.inputs.map((indices, operand) => {
    const axes = [...indices.keys()].filter((axis) => uses.of(indices[axis]) === 1);
    if (axes.length === 0) return operand;
    return add([operand], { name: "sum", axes }, indices.filter((_, axis) => !axes.includes(axis)));
  });
  const { pairs, search } = findOrder({ ...network, inputs: live.map((operand) => operands[operand]) });
  pairs.forEach(([first, second], place) => {
    const pair = [live[first], live[second]];
    const [a, b] = pair.map((operand) => operands[operand]);
    const question: PairQuestion = {
      a,
      b,
      keep: new Set(
        [...a, ...b].filter((index) => uses.of(index) > (a.includes(index) ? 1 : 0) + (b.includes(index) ? 1 : 0)),
      ),
      wanted: place === pairs.length - 1 ? network.output : null,
      extents: network.extents,
    };
    const { method, swapped, result } = elementwisePairing(question) ?? matrixPairing(question);
    live.push(add(swapped ? pair.toReversed() : pair, method, result));
  });
  const last = live.at(-1)!;
  const order = orderTo(operands[last], network.output);
  if (order) add([last], { name: "permute", order }, network.output);
  return { steps, search };
}

/** How many of the operands still to be contracted, and the result, have an index. */
class UseCount {
  readonly #uses = new Map<Index, number>();

  constructor(lists: readonly (readonly Index[])[]) {
    lists.forEach((indices) => this.add(indices));
  }

  of(index: Index): number {
    return this.#uses.get(index) ?? 0;
  }

  add(indices: readonly Index[]): void {
    for (const index of indices) this.#uses.set(index, this.of(index) + 1);
  }

  remove(indices: readonly Index[]): void {
    for (const index of indices) this.#uses.set(index, this.of(index) - 1);
  }
}

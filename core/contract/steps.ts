import { orderTo, type PairMethod, type PairQuestion } from "./arrangement.ts";
import { elementwisePairing } from "./elementwise_pairing.ts";
import { matrixPairing } from "./matrix_pairing.ts";
import { type Network, sizeOfIndices } from "./network.ts";
import { type Index, showPattern } from "./notation.ts";
import { findOrder, type Order } from "./order.ts";
import { UseCount } from "./use_count.ts";

/** What a step computes from its operands. */
export type StepMethod =
  | PairMethod
  | { readonly name: "sum"; readonly axes: readonly number[] }
  | { readonly name: "permute"; readonly order: readonly number[] };

/** One step of a plan. Operands are numbered from 0: the inputs, then the results of the steps in their order. */
export interface Step {
  /** One, or the two that are multiplied. */
  readonly operands: readonly number[];
  /** How it is computed. */
  readonly method: StepMethod;
  /** The step in the notation of the whole, without indices of extent 1. */
  readonly pattern: string;
  /** Shape of the result, without extents of 1. */
  readonly shape: readonly number[];
  /** Multiplications, each with the addition that takes its product up; 0 for a sum or a permutation. */
  readonly multiplyAdds: number;
}

/**
 * The steps of a contraction: sums over indices that only one operand has, the pairs in the order found, and a
 * permutation if the last result does not come out as asked.
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
      keep: new Set(uses.kept(a, b)),
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

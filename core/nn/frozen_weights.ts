import type { Ops } from "../ops/ops.ts";
import type { NamedShape } from "./tensor_store.ts";
import { type Weights, weightsFrom } from "./weights.ts";

/** Weights on the device that nothing trains. */
export interface FrozenWeights extends Weights {
  dispose(): void;
}

/** Puts a model's weights on the device, until they are disposed of. */
export function freeze(
  ops: Ops,
  { parameters }: { readonly parameters: readonly NamedShape[] },
  numbers: ReadonlyMap<string, Float32Array>,
): FrozenWeights {
  const tensors = new Map(
    parameters.map(({ name, shape }) => [name, ops.keep(ops.tensor(numbers.get(name)!, shape))]),
  );
  return { ...weightsFrom(tensors), dispose: () => tensors.forEach((tensor) => tensor.dispose()) };
}

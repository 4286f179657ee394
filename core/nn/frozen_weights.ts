import { expectArguments } from "../arguments.ts";
import type { Ops } from "../ops/ops.ts";
import type { NamedShape } from "./tensor_store.ts";
import { type Weights, weightsFrom } from "./weights.ts";

/** Weights on the device that nothing trains. */
export interface FrozenWeights extends Weights {
  /** Frees them. */
  dispose(): void;
}

/**
 * Puts a model's weights on the device, until they are disposed of.
 *
 * @example
 * ```ts
 * import { createOps, freeze, openBackend } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const parameters = [{ name: "fc.bias", shape: [10] }];
 * const weights = freeze(ops, { parameters }, new Map([["fc.bias", new Float32Array(10)]]));
 * weights.dispose();
 * await backend.close();
 * ```
 */
export function freeze(
  ops: Ops,
  model: { readonly parameters: readonly NamedShape[] },
  numbers: ReadonlyMap<string, Float32Array>,
): FrozenWeights {
  expectArguments("freeze", {
    ops: [ops, "operations (see createOps)"],
    model: [model, "a model, { parameters, ... }"],
    numbers: [numbers, "a Map"],
  });
  const { parameters } = model;
  const lacking = parameters.find(({ name }) => !numbers.has(name));
  if (lacking) throw new RangeError(`Cannot freeze the model: there are no numbers for its weight "${lacking.name}"`);
  const tensors = new Map(
    parameters.map(({ name, shape }) => [name, ops.keep(ops.tensor(numbers.get(name)!, shape))]),
  );
  return { ...weightsFrom(tensors), dispose: () => tensors.forEach((tensor) => tensor.dispose()) };
}

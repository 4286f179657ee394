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
  { parameters }: { readonly parameters: readonly NamedShape[] },
  numbers: ReadonlyMap<string, Float32Array>,
): FrozenWeights {
  const tensors = new Map(
    parameters.map(({ name, shape }) => [name, ops.keep(ops.tensor(numbers.get(name)!, shape))]),
  );
  return { ...weightsFrom(tensors), dispose: () => tensors.forEach((tensor) => tensor.dispose()) };
}

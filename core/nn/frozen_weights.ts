import { expectArguments } from "../arguments.ts";
import { TensorTooLarge, UserError } from "../errors.ts";
import type { Ops } from "../ops/ops.ts";
import { showShape, type Tensor } from "../tensor.ts";
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
 * @throws UserError naming a weight that is larger than a tensor can be there
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
  const hold = ({ name, shape }: NamedShape) => {
    try {
      return ops.keep(ops.tensor(numbers.get(name)!, shape));
    } catch (error) {
      if (!(error instanceof TensorTooLarge)) throw error;
      throw new UserError(
        `Cannot hold the weight ${name} ${showShape(shape)}: ${error.sizes}; a smaller model, or --backend cpu`,
        { cause: error },
      );
    }
  };
  const tensors = new Map<string, Tensor>();
  try {
    for (const parameter of parameters) tensors.set(parameter.name, hold(parameter));
  } catch (error) {
    tensors.forEach((tensor) => tensor.dispose());
    throw error;
  }
  return { ...weightsFrom(tensors), dispose: () => tensors.forEach((tensor) => tensor.dispose()) };
}

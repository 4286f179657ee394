import { expectArguments } from "../arguments.ts";
import type { Ops } from "../ops/ops.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { hold } from "./hold.ts";
import { mostPerStorage, type NamedShape, type RowRange, rowRanges } from "./row_ranges.ts";
import { type Weights, weightsFrom } from "./weights.ts";

/** Weights on the device that nothing trains. */
export interface FrozenWeights extends Weights {
  /** Frees them. */
  dispose(): void;
}

/**
 * Puts a model's weights on the device, until they are disposed of; tables that are asked for by rows and too large for
 * a tensor as several.
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
  const held = ({ name, whole, shape, begin }: RowRange) => {
    const all = numbers.get(whole)!;
    const own = name === whole ? all : all.subarray(begin, begin + sizeOf(shape));
    return hold(ops, own, shape, `the weight ${name}`, "a smaller model");
  };
  const ranges = parameters.flatMap((parameter) => rowRanges(parameter, mostPerStorage(ops.backend)));
  const tensors = new Map<string, Tensor>();
  try {
    for (const range of ranges) tensors.set(range.name, held(range));
  } catch (error) {
    tensors.forEach((tensor) => tensor.dispose());
    throw error;
  }
  return { ...weightsFrom(tensors, undefined, ranges), dispose: () => tensors.forEach((tensor) => tensor.dispose()) };
}

import type { Random } from "../data/random.ts";
import { initialise } from "../nn/initialisers.ts";
import { sizeOf } from "../tensor.ts";
import type { Model, ParameterSpec } from "./model.ts";

/** Trained numbers of a model's plain weights. */
export function countTrainable(parameters: readonly ParameterSpec[]): number {
  return parameters.filter(({ trainable }) => trainable).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Trained numbers of a model, wherever they are. */
export function countTrained({ parameters, foreignParameters = 0 }: Model): number {
  return countTrainable(parameters) + foreignParameters;
}

/** Fresh weights of a model; each tensor has a random stream of its own, so that one more changes no other. */
export function freshWeights(model: Model, random: Random): Map<string, Float32Array> {
  return new Map(
    model.parameters.map(({ name, shape, initialise: how }) => [name, initialise(how, shape, random.split(name))]),
  );
}

/**
 * Names of the tensors of the last layer, which makes the logits; where no linear layer alone does, of the whole head.
 *
 * @returns `null` for a model that does not say which they are
 */
export function headOf({ classifier, head, parameters }: Model): readonly string[] | null {
  if (classifier === undefined) return head ?? null;
  const bias = classifier.replace(/weight$/, "bias");
  return parameters.map(({ name }) => name).filter((name) => name === classifier || name === bias);
}

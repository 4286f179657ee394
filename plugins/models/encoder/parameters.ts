import type { Initialiser } from "../../../core/nn/initialisers.ts";
import type { ParameterSpec } from "../../../core/plugin/model.ts";
import type { BlockNames } from "./block.ts";

/** Weights of transformers start from a normal distribution of this deviation (Devlin et al. 2019). */
const WEIGHTS: Initialiser = { use: "normal", deviation: 0.02 };
const ZEROS: Initialiser = { use: "constant", value: 0 };
const ONES: Initialiser = { use: "constant", value: 1 };

const parameter = (
  name: string,
  shape: readonly number[],
  initialise: Initialiser,
  overParameterisable = false,
): ParameterSpec => ({ name, shape, initialise, trainable: true, overParameterisable });

/** A table of embeddings, `[rows, width]`. */
export function table(name: string, rows: number, width: number): ParameterSpec {
  return parameter(`${name}.weight`, [rows, width], WEIGHTS);
}

/** Weight and bias of a linear layer. */
export function linear(name: string, outputs: number, inputs: number, overParameterisable = false): ParameterSpec[] {
  return [
    parameter(`${name}.weight`, [outputs, inputs], WEIGHTS, overParameterisable),
    parameter(`${name}.bias`, [outputs], ZEROS),
  ];
}

/** Weight and bias of a layer norm. */
export function norm(name: string, width: number): ParameterSpec[] {
  return [parameter(`${name}.weight`, [width], ONES), parameter(`${name}.bias`, [width], ZEROS)];
}

/**
 * The tensors of an encoder block. Its six matrices may be over-parameterised (OPDF, section 5.1: query, key, value and
 * output of attention, and both of the feed-forward network).
 *
 * @param ffn width between the two layers of the feed-forward network
 */
export function blockParameters(names: BlockNames, width: number, ffn: number): ParameterSpec[] {
  return [
    ...linear(names.query, width, width, true),
    ...linear(names.key, width, width, true),
    ...linear(names.value, width, width, true),
    ...linear(names.attentionOutput, width, width, true),
    ...norm(names.attentionNorm, width),
    ...linear(names.up, ffn, width, true),
    ...linear(names.down, width, ffn, true),
    ...norm(names.outputNorm, width),
  ];
}

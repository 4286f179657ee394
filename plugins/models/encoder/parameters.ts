import { UserError } from "../../../core/errors.ts";
import type { Initialiser } from "../../../core/nn/initialisers.ts";
import type { InnerWidth, ParameterSpec } from "../../../core/plugin/model.ts";
import type { BlockNames } from "./block.ts";
import type { EncoderOptions } from "./options.ts";

/** Weights of transformers start from a normal distribution of this deviation (Devlin et al. 2019). */
const WEIGHTS: Initialiser = { use: "normal", deviation: 0.02 };
const ZEROS: Initialiser = { use: "constant", value: 0 };
const ONES: Initialiser = { use: "constant", value: 1 };

/** A tensor that is trained. */
export const parameter = (
  name: string,
  shape: readonly number[],
  initialise: Initialiser = WEIGHTS,
  overParameterisable = false,
): ParameterSpec => ({ name, shape, initialise, trainable: true, overParameterisable });

/** A table of embeddings, `[rows, width]`. */
export function table(name: string, rows: number, width: number): ParameterSpec {
  return parameter(`${name}.weight`, [rows, width], WEIGHTS);
}

/** Weight and bias of a linear layer. */
export function linear(
  name: string,
  outputs: number,
  inputs: number,
  overParameterisable = false,
  weights = WEIGHTS,
): ParameterSpec[] {
  return [
    parameter(`${name}.weight`, [outputs, inputs], weights, overParameterisable),
    parameter(`${name}.bias`, [outputs], ZEROS),
  ];
}

/** Weight and bias of a layer norm. */
export function norm(name: string, width: number): ParameterSpec[] {
  return [parameter(`${name}.weight`, [width], ONES), parameter(`${name}.bias`, [width], ZEROS)];
}

/**
 * The tensors of an encoder block. Its matrices may be over-parameterised (OPDF, section 5.1: query, key, value and
 * output of attention, and both of the feed-forward network).
 *
 * @param ffn width between the two layers of the feed-forward network
 * @param fresh how its matrices start, by their outputs and inputs
 */
export function blockParameters(
  names: BlockNames,
  width: number,
  ffn: number,
  fresh: (outputs: number, inputs: number) => Initialiser = () => WEIGHTS,
): ParameterSpec[] {
  const matrix = (name: string, outputs: number, inputs: number) =>
    linear(name, outputs, inputs, true, fresh(outputs, inputs));
  // Fused or not, they start alike.
  const projections = names.fused === undefined
    ? [names.query, names.key, names.value].flatMap((name) => matrix(name, width, width))
    : linear(names.fused, 3 * width, width, true, fresh(width, width));
  return [
    ...projections,
    ...matrix(names.attentionOutput, width, width),
    ...norm(names.attentionNorm, width),
    ...matrix(names.up, ffn, width),
    ...matrix(names.down, width, ffn),
    ...norm(names.outputNorm, width),
  ];
}

/** The neurons of a block's feed-forward network, by the name of the layer that makes them. */
export function innerWidth({ up, down }: BlockNames, ffn: number): InnerWidth {
  return {
    name: up,
    size: ffn,
    tensors: [{ name: `${up}.weight`, axis: 0 }, { name: `${up}.bias`, axis: 0 }, { name: `${down}.weight`, axis: 1 }],
    scoredBy: [`${up}.weight`, `${down}.weight`],
  };
}

/**
 * Options of an encoder with other feed-forward networks. As Hugging Face's config.json has one number for all of them,
 * they must be alike.
 *
 * @throws UserError if they are not
 */
export function withFfn<Options extends Pick<EncoderOptions, "ffn">>(
  options: Options,
  widths: ReadonlyMap<string, number>,
): Options {
  const different = new Set(widths.values());
  if (different.size === 1) return { ...options, ffn: [...different][0] };
  throw new UserError(
    `Cannot build an encoder whose feed-forward networks have different widths, ${
      [...different].join(", ")
    }: choose all ` +
      "of them, with scope: layer",
  );
}

/** Uniform with variance 2 / (inputs + outputs), for matrices of any size (Glorot and Bengio 2010). */
export function glorot(outputs: number, inputs: number): Initialiser {
  return { use: "uniform", bound: Math.sqrt(6 / (outputs + inputs)) };
}

import type { ForwardCall, ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";

/** Whether an output of the forward pass is read by anybody. */
export function wants({ wanted }: ForwardCall, output: keyof ModelOutputs): boolean {
  return !wanted || wanted.has(output);
}

/** The layers that encoders are made of, by the names of their weights. */
export interface Layers {
  /** `x [..., in]` to `[..., out]`. */
  linear(x: Tensor, name: string): Tensor;
  /** Layer norm over the last dimension. */
  norm(x: Tensor, name: string): Tensor;
  /** Dropout in training; the tensor itself in evaluation. */
  dropout(x: Tensor, rate: number): Tensor;
}

/**
 * The layers of one forward pass.
 *
 * @param epsilon added to the variance in layer norm
 */
export function layersOf({ ops, weights, training, randomSeed }: ForwardCall, epsilon: number): Layers {
  const parts = (name: string) => [weights.get(`${name}.weight`), weights.get(`${name}.bias`)] as const;
  return {
    linear: (x, name) => ops.linear(x, ...parts(name)),
    norm: (x, name) => ops.layerNorm(x, ...parts(name), { epsilon }),
    dropout: (x, rate) => training && rate > 0 ? ops.dropout(x, { rate, seed: randomSeed() }) : x,
  };
}

import type { ForwardCall, ParameterSpec } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { biasSpec, convolutionSpec } from "./parameters.ts";

/** The two layers of {@link squeezeExcite}, 1x1 convolutions as torchvision stores them. */
export function squeezeExcitationSpecs(name: string, channels: number, squeezed: number): ParameterSpec[] {
  return [
    convolutionSpec(`${name}.fc1`, { outputs: squeezed, inputs: channels, size: 1 }),
    biasSpec(`${name}.fc1`, squeezed),
    convolutionSpec(`${name}.fc2`, { outputs: channels, inputs: squeezed, size: 1 }),
    biasSpec(`${name}.fc2`, channels),
  ];
}

/**
 * Squeeze and excitation (Hu et al. 2018, arXiv 1709.01507) with the hard sigmoid of MobileNetV3: each channel of
 * `[batch, height, width, channels]` times a number from 0 to 1 that two layers make of the channels' means.
 */
export function squeezeExcite({ ops, weights }: ForwardCall, x: Tensor, name: string): Tensor {
  const [batch, , , channels] = x.shape;
  const layer = (y: Tensor, part: string) => {
    const weight = weights.get(`${name}.${part}.weight`);
    return ops.linear(y, ops.reshape(weight, weight.shape.slice(0, 2)), weights.get(`${name}.${part}.bias`));
  };
  const squeezed = ops.relu(layer(ops.mean(x, { axes: [1, 2] }), "fc1"));
  const gate = ops.hardSigmoid(layer(squeezed, "fc2")); // [batch, channels]
  return ops.multiply(x, ops.reshape(gate, [batch, 1, 1, channels]));
}

import type { ParameterSpec } from "../../../core/plugin/model.ts";

/** A convolution's sizes, its filters being square. */
export interface ConvolutionSizes {
  readonly outputs: number;
  readonly inputs: number;
  /** Height and width of the filters. */
  readonly size: number;
  /** Parts of the channels that do not see each other; 1 by default. */
  readonly groups?: number;
  /** Whether depthwise filters may be trained as chains; see {@link DEPTHWISE_CHAINS}. */
  readonly depthwiseChains?: boolean;
}

/**
 * Why depthwise filters are no chains unless asked for. It is the description of an option: the sentence that follows
 * "Whether depthwise filters may be over-parameterised, too".
 */
export const DEPTHWISE_CHAINS =
  "they are left out otherwise, as each row of their matrix [channels, taps] filters one channel by itself, and a chain " +
  "would tie together channels that the layer keeps apart";

/** `NAME.weight [outputs, inputs / groups, size, size]` of a convolution. */
export function convolutionSpec(
  name: string,
  { outputs, inputs, size, groups = 1, depthwiseChains = false }: ConvolutionSizes,
): ParameterSpec {
  const isDepthwise = groups > 1 && groups === inputs;
  return {
    name: `${name}.weight`,
    shape: [outputs, inputs / groups, size, size],
    initialise: { use: "kaiming-normal", fan: isDepthwise ? "in" : "out" },
    trainable: true,
    overParameterisable: !isDepthwise || depthwiseChains,
  };
}

/** `NAME.bias [channels]`. */
export function biasSpec(name: string, channels: number): ParameterSpec {
  return {
    name: `${name}.bias`,
    shape: [channels],
    initialise: { use: "constant", value: 0 },
    trainable: true,
    overParameterisable: false,
  };
}

/** The four tensors of batch norm. */
export function batchNormSpecs(name: string, channels: number): ParameterSpec[] {
  const entry = (part: string, value: number, trainable: boolean): ParameterSpec => ({
    name: `${name}.${part}`,
    shape: [channels],
    initialise: { use: "constant", value },
    trainable,
    overParameterisable: false,
  });
  return [
    entry("weight", 1, true),
    entry("bias", 0, true),
    entry("running_mean", 0, false),
    entry("running_var", 1, false),
  ];
}

/** `NAME.weight [outputs, inputs]` and `NAME.bias [outputs]`, filled as PyTorch's. */
export function linearSpecs(name: string, outputs: number, inputs: number): ParameterSpec[] {
  const common = { trainable: true, initialise: { use: "uniform", bound: 1 / Math.sqrt(inputs) } } as const;
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], overParameterisable: true, ...common },
    { name: `${name}.bias`, shape: [outputs], overParameterisable: false, ...common },
  ];
}

import type { ParameterSpec } from "../../../core/plugin/model.ts";
import type { Architecture, Block } from "./architecture.ts";

function convolution(name: string, outputs: number, inputs: number, size: number): ParameterSpec {
  return {
    name: `${name}.weight`,
    shape: [outputs, inputs, size, size],
    initialise: { use: "kaiming-normal", fan: "out" },
    trainable: true,
    overParameterisable: true,
  };
}

function batchNorm(name: string, channels: number): ParameterSpec[] {
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

/** The convolutions of a block in order: name, outputs, inputs, size and stride. */
export function convolutionsOf({ name, bottleneck, inputs, width, outputs, stride }: Block) {
  const at = (index: number, to: number, from: number, size: number, step: number) => ({
    conv: `${name}.conv${index}`,
    norm: `${name}.bn${index}`,
    outputs: to,
    inputs: from,
    size,
    stride: step,
  });
  if (!bottleneck) return [at(1, width, inputs, 3, stride), at(2, outputs, width, 3, 1)];
  return [at(1, width, inputs, 1, 1), at(2, width, width, 3, stride), at(3, outputs, width, 1, 1)];
}

/** Every tensor of a residual network under torchvision's names. */
export function parametersOf(
  { stem, stemWidth, stages, pooledWidth }: Architecture,
  channels: number,
  classes: number,
): ParameterSpec[] {
  const blocks = stages.flatMap((stage) => stage.blocks).flatMap((block) => [
    ...convolutionsOf(block).flatMap(({ conv, norm, outputs, inputs, size }) => [
      convolution(conv, outputs, inputs, size),
      ...batchNorm(norm, outputs),
    ]),
    ...(block.shortcut === "projection"
      ? [
        convolution(`${block.name}.downsample.0`, block.outputs, block.inputs, 1),
        ...batchNorm(`${block.name}.downsample.1`, block.outputs),
      ]
      : []),
  ]);
  const head = { trainable: true, initialise: { use: "uniform", bound: 1 / Math.sqrt(pooledWidth) } } as const;
  return [
    convolution("conv1", stemWidth, channels, stem === "imagenet" ? 7 : 3),
    ...batchNorm("bn1", stemWidth),
    ...blocks,
    { name: "fc.weight", shape: [classes, pooledWidth], overParameterisable: true, ...head },
    { name: "fc.bias", shape: [classes], overParameterisable: false, ...head },
  ];
}

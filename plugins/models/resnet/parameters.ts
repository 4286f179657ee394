import type { InnerWidth, ParameterSpec } from "../../../core/plugin/model.ts";
import { batchNormSpecs, convolutionSpec, linearSpecs } from "../images/parameters.ts";
import type { Architecture, Block } from "./architecture.ts";

/** The convolutions of a block in order: name, outputs, inputs, size and stride. */
export function convolutionsOf({ name, bottleneck, inputs, inner, outputs, stride }: Block) {
  const at = (index: number, to: number, from: number, size: number, step: number) => ({
    conv: `${name}.conv${index}`,
    norm: `${name}.bn${index}`,
    outputs: to,
    inputs: from,
    size,
    stride: step,
  });
  const [first, second] = inner;
  if (!bottleneck) return [at(1, first, inputs, 3, stride), at(2, outputs, first, 3, 1)];
  return [at(1, first, inputs, 1, 1), at(2, second, first, 3, stride), at(3, outputs, second, 1, 1)];
}

/** The channels between a block's convolutions, which nothing outside of it depends on. */
export function innerWidthsOf(block: Block): InnerWidth[] {
  return convolutionsOf(block).slice(0, -1).map(({ conv, norm, outputs }, index) => {
    const taker = `${convolutionsOf(block)[index + 1].conv}.weight`;
    const norms = batchNormSpecs(norm, outputs).map(({ name }) => ({ name, axis: 0 }));
    return {
      name: conv,
      size: outputs,
      tensors: [{ name: `${conv}.weight`, axis: 0 }, ...norms, { name: taker, axis: 1 }],
      scoredBy: [`${norm}.weight`, taker],
    };
  });
}

/** Every tensor of a residual network under torchvision's names. */
export function parametersOf(
  { stem, stemWidth, stages, pooledWidth }: Architecture,
  channels: number,
  classes: number,
): ParameterSpec[] {
  const blocks = stages.flatMap((stage) => stage.blocks).flatMap((block) => [
    ...convolutionsOf(block).flatMap(({ conv, norm, outputs, inputs, size }) => [
      convolutionSpec(conv, { outputs, inputs, size }),
      ...batchNormSpecs(norm, outputs),
    ]),
    ...(block.shortcut === "projection"
      ? [
        convolutionSpec(`${block.name}.downsample.0`, { outputs: block.outputs, inputs: block.inputs, size: 1 }),
        ...batchNormSpecs(`${block.name}.downsample.1`, block.outputs),
      ]
      : []),
  ]);
  return [
    convolutionSpec("conv1", { outputs: stemWidth, inputs: channels, size: stem === "imagenet" ? 7 : 3 }),
    ...batchNormSpecs("bn1", stemWidth),
    ...blocks,
    ...linearSpecs("fc", classes, pooledWidth),
  ];
}

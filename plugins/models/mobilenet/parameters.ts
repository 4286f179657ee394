import type { ParameterSpec } from "../../../core/plugin/model.ts";
import { batchNormSpecs, type ConvolutionSizes, convolutionSpec, linearSpecs } from "../images/parameters.ts";
import { squeezeExcitationSpecs } from "../images/squeeze_excitation.ts";
import type { Architecture, Block, Names } from "./architecture.ts";

/** Every tensor of a network under torchvision's names. */
export function parametersOf(
  { stem, blocks, last, hidden, head }: Architecture,
  channels: number,
  classes: number,
  depthwiseChains: boolean,
): ParameterSpec[] {
  const end = blocks.at(-1)!.outputs;
  return [
    ...normalised(stem.names, { outputs: stem.outputs, inputs: channels, size: 3 }),
    ...blocks.flatMap((block) => parametersOfBlock(block, depthwiseChains)),
    ...normalised(last.names, { outputs: last.outputs, inputs: end, size: 1 }),
    ...(hidden ? linearSpecs(hidden.name, hidden.outputs, last.outputs) : []),
    ...linearSpecs(head, classes, hidden?.outputs ?? last.outputs),
  ];
}

function parametersOfBlock(block: Block, depthwiseChains: boolean): ParameterSpec[] {
  const { inputs, expanded, outputs, size, squeezed, names } = block;
  const depthwise = { outputs: expanded, inputs: expanded, size, groups: expanded, depthwiseChains };
  return [
    ...(names.expand ? normalised(names.expand, { outputs: expanded, inputs, size: 1 }) : []),
    ...normalised(names.depthwise, depthwise),
    ...(squeezed === null ? [] : squeezeExcitationSpecs(names.squeeze, expanded, squeezed)),
    ...normalised(names.project, { outputs, inputs: expanded, size: 1 }),
  ];
}

function normalised({ conv, norm }: Names, sizes: ConvolutionSizes): ParameterSpec[] {
  return [convolutionSpec(conv, sizes), ...batchNormSpecs(norm, sizes.outputs)];
}

import { optionKit } from "../../core/plugin/kit.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { Model } from "../../core/plugin/model.ts";
import { resnet } from "../../plugins/models/resnet/resnet.ts";
import { classes, imageSize, type Parameter } from "./workload.ts";

/** The benchmark's network as the plug-in builds it, and the images that it takes. */
export function resnet8(): { model: Model; input: InputDescription } {
  const input = {
    task: "classification",
    classes: Array.from({ length: classes }, (_, label) => String(label)),
    image: { size: [imageSize, imageSize, 1], normalise: { mean: [0], std: [1] } },
    text: null,
  } as const;
  return { model: resnet.build(resnet.options(optionKit).parse({ depth: 8, width: 16 }), input), input };
}

/** All numbers of the network by name: statistics are those before training. */
export function trainedValues(model: Model, parameters: readonly Parameter[]): Map<string, Float32Array<ArrayBuffer>> {
  const given = new Map(parameters.map(({ name, values }) => [name, values]));
  return new Map(model.parameters.map(({ name, shape: [size] }) => [
    name,
    given.get(name) ?? new Float32Array(size).fill(name.endsWith("running_var") ? 1 : 0),
  ]));
}

import { UserError } from "../../../core/errors.ts";
import { showJson } from "../../../core/json.ts";
import { imagesOf, outputsOf } from "../../../core/plugin/inputs.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import type { Model, ParameterSpec, StoredModel } from "../../../core/plugin/model.ts";
import { batchNormSpecs, biasSpec, convolutionSpec, linearSpecs } from "../images/parameters.ts";
import { forward } from "./forward.ts";
import { layOut, type Placed, type Stack } from "./lay_out.ts";
import type { Layer } from "./layers.ts";

/** A model of a stack of layers. */
export function buildStack(
  name: string,
  layers: readonly Layer[],
  depthwiseChains: boolean,
  data: InputDescription,
  config: Readonly<Record<string, unknown>>,
): Model {
  const stack = layOut(layers, imagesOf(data, name).size);
  return {
    parameters: parametersOf(stack, depthwiseChains, outputsOf(data)),
    classifier: `${stack.head.module}.weight`,
    forward: (call) => forward(stack, call),
    config,
    fromForeign: ownName,
  };
}

/** Every tensor under the names that PyTorch's `nn.Sequential` of the same modules gives. */
function parametersOf({ layers, head }: Stack, depthwiseChains: boolean, outputs: number): ParameterSpec[] {
  return [
    ...layers.flatMap((placed) => parametersOfLayer(placed, depthwiseChains)),
    ...linearSpecs(`${head.module}`, outputs, head.inputs),
  ];
}

function parametersOfLayer({ layer, module, inputs }: Placed, depthwiseChains: boolean): ParameterSpec[] {
  if (layer.use !== "conv" && layer.use !== "linear") return [];
  const norm = (channels: number) => layer.norm === "batch" ? batchNormSpecs(`${module + 1}`, channels) : [];
  if (layer.use === "linear") return [...linearSpecs(`${module}`, layer.width, inputs), ...norm(layer.width)];
  const { channels: outputs, size, groups } = layer;
  const filter = convolutionSpec(`${module}`, { outputs, inputs, size, groups, depthwiseChains });
  return [filter, ...(layer.norm === "none" ? [biasSpec(`${module}`, outputs)] : []), ...norm(outputs)];
}

/**
 * The name here of a tensor of an `nn.Sequential`, also where that is a field of another module (`net.0.weight`);
 * `null` for PyTorch's counter of batches.
 */
function ownName(name: string): string | null {
  if (name.endsWith(".num_batches_tracked")) return null;
  return name.replace(/^(?:[A-Za-z_]\w*\.)+(?=\d+\.\w+$)/, "");
}

/**
 * Fills an option that is `null` by the config.json beside the weights, if this family wrote it.
 *
 * @throws UserError if it is stated, and otherwise than there
 */
export function followConfig<Options extends object>(
  family: string,
  { config }: StoredModel,
  options: Options,
  keys: readonly (keyof Options & string)[],
): Options {
  if (config?.architecture !== family) return options;
  const filled = keys.map((key) => {
    const [stated, saved] = [options[key], config[key]];
    if (stated === null || stated === undefined) return [key, saved];
    if (saved === undefined || saved === null || showJson(saved) === showJson(stated)) return [key, stated];
    throw new UserError(
      `Cannot build a ${family} with ${key}: ${showJson(stated)} for weights whose config.json says ` +
        `${showJson(saved)}: leave ${key} out, or name other weights`,
    );
  });
  return { ...options, ...Object.fromEntries(filled) };
}

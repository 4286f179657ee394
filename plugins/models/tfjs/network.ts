import type { GraphModel } from "npm:@tensorflow/tfjs-converter@4.22.0";
import type { LayersModel, SymbolicTensor } from "npm:@tensorflow/tfjs-layers@4.22.0";
import { sizeOf } from "../../../core/tensor.ts";
import { type ForeignTensor, importTensorflow } from "./library.ts";
import type { ModelFiles } from "./read_artifacts.ts";

/** An input of a model of TensorFlow.js. */
export interface NetworkInput {
  readonly name: string;
  /** `null` for a dimension of any size; `null` if the model does not say it. */
  readonly shape: readonly (number | null)[] | null;
  /** `float32`, `int32`, .. */
  readonly type: string;
}

/** A model of TensorFlow.js of either format. */
export interface Network {
  readonly inputs: readonly NetworkInput[];
  /** Names of what it gives by itself. */
  readonly outputs: readonly string[];
  /** Names of everything that can be asked of it: its nodes or layers. */
  readonly nodes: readonly string[];
  /** How many numbers were trained. */
  readonly parameters: number;
  /** Computes nodes from all inputs by name. Called within the engine and `tidy`. */
  run(inputs: Readonly<Record<string, ForeignTensor>>, nodes: readonly string[]): readonly ForeignTensor[];
  dispose(): void;
}

/** Makes a model of its files, on the current backend of TensorFlow.js. @throws Error as TensorFlow.js throws it */
export function loadNetwork(files: ModelFiles): Promise<Network> {
  return files.format === "graph-model" ? loadGraph(files) : loadLayers(files);
}

async function loadGraph({ artifacts, weights }: ModelFiles): Promise<Network> {
  const { loadGraphModelSync } = await importTensorflow("tfjs-converter");
  const model: GraphModel<never> = loadGraphModelSync(artifacts) as never;
  const { node = [] } = artifacts.modelTopology as { readonly node?: readonly { readonly name: string }[] };
  return {
    inputs: model.inputs.map(({ name, shape, dtype }) => ({
      name,
      shape: shape?.map((extent) => extent < 0 ? null : extent) ?? null,
      type: dtype,
    })),
    outputs: model.outputs.map(({ name }) => name),
    nodes: node.map(({ name }) => name),
    parameters: weights.filter(({ dtype }) => dtype === "float32").reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    run: (inputs, nodes) => [model.execute(inputs, [...nodes])].flat(),
    dispose: () => model.dispose(),
  };
}

async function loadLayers({ artifacts }: ModelFiles): Promise<Network> {
  const tfl = await importTensorflow("tfjs-layers");
  const model = await tfl.loadLayersModel({ load: () => Promise.resolve(artifacts) });
  const parts = new Map<string, LayersModel>();
  /** The same layers with other outputs. */
  const partFor = (nodes: readonly string[]): LayersModel => {
    const key = JSON.stringify(nodes);
    let part = parts.get(key);
    if (!part) {
      const outputs = nodes.map((name) => model.getLayer(name).output as SymbolicTensor);
      parts.set(key, part = tfl.model({ inputs: model.inputs, outputs }));
    }
    return part;
  };
  return {
    inputs: model.inputs.map(({ shape, dtype, sourceLayer }) => ({ name: sourceLayer.name, shape, type: dtype })),
    outputs: model.outputs.map(({ sourceLayer }) => sourceLayer.name),
    nodes: model.layers.map(({ name }) => name),
    parameters: model.trainableWeights.reduce((sum, { shape }) => sum + sizeOf(shape as number[]), 0),
    run(inputs, nodes) {
      const part = partFor(nodes);
      return [part.apply(model.inputs.map(({ sourceLayer }) => inputs[sourceLayer.name]), { training: false })]
        .flat() as ForeignTensor[];
    },
    dispose: () => void model.dispose(),
  };
}

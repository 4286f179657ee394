import { join } from "node:path";
import * as tf from "npm:@tensorflow/tfjs-core@4.22.0";
import * as tfl from "npm:@tensorflow/tfjs-layers@4.22.0";
import "npm:@tensorflow/tfjs-backend-cpu@4.22.0";
import "../../../core/deno/install.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Backend } from "../../../core/backend/backend.ts";
import { readUserFile } from "../../../core/files.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { ModelOutputs, OpenedModel } from "../../../core/plugin/model.ts";
import { tfjs } from "../../../plugins/models/tfjs/tfjs.ts";
import type { Tensor } from "../../../core/tensor.ts";

export { tf, tfl };

tf.enableProdMode();
await tf.setBackend("cpu");

/** 8x8 images of one channel in three classes. */
export const images: InputDescription = {
  task: "classification",
  classes: ["a", "b", "c"],
  image: { size: [8, 8, 1], normalise: { mean: [0.3], std: [0.2] } },
  text: null,
};

/** Runs `body` in a temporary folder. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A convolution, batch norm, pooling and a linear layer; 60 trained numbers. */
export function smallNetwork(size: readonly number[] = [8, 8, 1], classes = 3): tfl.Sequential {
  const { layers: { conv2d, batchNormalization, globalAveragePooling2d, dense } } = tfl;
  const random = (seed: number) => ({ kernelInitializer: tfl.initializers.glorotNormal({ seed }) });
  return tfl.sequential({
    layers: [
      conv2d({
        name: "stem",
        inputShape: [...size],
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        activation: "relu",
        ...random(1),
      }),
      batchNormalization({ name: "norm" }),
      globalAveragePooling2d({ name: "pool" }),
      dense({ name: "head", units: classes, ...random(2) }),
    ],
  });
}

/** Saves what a model saves as TensorFlow.js's own tools do: `model.json`, and the weights in two shards. */
export async function saveLayers(model: tfl.LayersModel, folder: string): Promise<void> {
  await model.save(tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
    await writeModel(folder, {
      format: "layers-model",
      modelTopology,
      weights: weightSpecs!,
      data: weightData as ArrayBuffer,
    });
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  }));
}

/** A model's files before they are written. */
export interface WrittenModel {
  readonly format: string;
  readonly modelTopology: unknown;
  readonly weights: readonly tf.io.WeightsManifestEntry[];
  readonly data: ArrayBuffer;
}

/** Writes `model.json` and two shards. */
export async function writeModel(
  folder: string,
  { format, modelTopology, weights, data }: WrittenModel,
): Promise<void> {
  const bytes = new Uint8Array(data);
  const half = Math.floor(bytes.length / 2);
  const paths = ["group1-shard1of2.bin", "group1-shard2of2.bin"];
  await Deno.writeFile(join(folder, paths[0]), bytes.subarray(0, half));
  await Deno.writeFile(join(folder, paths[1]), bytes.subarray(half));
  const json = { format, modelTopology, weightsManifest: [{ paths, weights }] };
  await Deno.writeTextFile(join(folder, "model.json"), JSON.stringify(json));
}

/** A graph of its nodes, each with a name, an operation, inputs and attributes; constants are its weights. */
export async function saveGraph(
  folder: string,
  shape: readonly number[],
  constants: Readonly<Record<string, { readonly shape: number[]; readonly values: readonly number[] }>>,
  nodes: readonly { name: string; op: string; input: string[]; attr?: Record<string, unknown> }[],
): Promise<void> {
  const type = { dtype: { type: "DT_FLOAT" } };
  const sizes = { dim: shape.map((size) => ({ size: `${size}` })) };
  const node = [
    { name: "x", op: "Placeholder", input: [], attr: { ...type, shape: { shape: sizes } } },
    ...Object.entries(constants).map(([name, { shape }]) => ({
      name,
      op: "Const",
      input: [],
      attr: {
        ...type,
        value: { tensor: { dtype: "DT_FLOAT", tensorShape: { dim: shape.map((size) => ({ size: `${size}` })) } } },
      },
    })),
    ...nodes.map(({ attr, ...rest }) => ({ ...rest, attr: { T: { type: "DT_FLOAT" }, ...attr } })),
  ];
  await writeModel(folder, {
    format: "graph-model",
    modelTopology: { node, library: {}, versions: { producer: 1, minConsumer: 1 } },
    weights: Object.entries(constants).map(([name, { shape }]) => ({ name, shape, dtype: "float32" })),
    data: Float32Array.from(Object.values(constants).flatMap(({ values }) => values)).buffer,
  });
}

/** A teacher opened as the pipeline does it. */
export interface OpenedFixture extends OpenedModel {
  readonly ops: Ops;
  run(batch: Readonly<Record<string, Tensor>>, wanted?: ReadonlySet<string>): ModelOutputs;
}

/** Opens a model folder. */
export async function openModel(
  backend: Backend,
  path: string,
  options: object = {},
  data: InputDescription = images,
): Promise<OpenedFixture> {
  const ops = createOps(backend);
  const checked = tfjs.options(optionKit).parse(options);
  const opened = await tfjs.open!(checked, data, { ops, path, readFile: readUserFile, report: () => {} });
  return {
    ...opened,
    ops,
    run: (batch, wanted) =>
      opened.model.forward({
        ops,
        weights: weightsFrom(new Map()),
        batch,
        training: false,
        randomSeed: () => 0,
        wanted,
      }),
  };
}

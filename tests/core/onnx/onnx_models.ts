import "../../../core/deno/install.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { freeze } from "../../../core/nn/frozen_weights.ts";
import { compareWithOnnx, type OnnxComparison } from "../../../core/onnx/compare.ts";
import { encodeModel } from "../../../core/onnx/encode.ts";
import type { Graph } from "../../../core/onnx/graph.ts";
import { madeUp } from "../../../core/onnx/probe.ts";
import { OnnxModel } from "../../../core/onnx/run_model.ts";
import { writeGraph, type WrittenModel } from "../../../core/onnx/write_graph.ts";
import type { FloatType } from "../../../core/onnx/writer.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { InputDescription, Task } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { sizeOf } from "../../../core/tensor.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { pseudoRandom } from "../../support/numbers.ts";

const names = (count: number) => Array.from({ length: count }, (_, index) => `class ${index}`);

/** Images of a size, in four classes. */
export function images(...size: [height: number, width: number, channels: number]): InputDescription {
  const each = (value: number) => Array<number>(size[2]).fill(value);
  const image = { size, normalise: { mean: each(0.4), std: each(0.3) } };
  return { task: "classification", classes: names(4), image, text: null };
}

/** Texts of up to twelve of forty tokens. */
export function texts(task: Task = "classification"): InputDescription {
  const text = { vocabulary: 40, maxLength: 12, padding: 1, files: {} };
  return { task, classes: task === "regression" ? [] : names(3), image: null, text };
}

/** A model of some options with made-up weights, norms and their statistics among them. */
export function built(use: string, options: object, input: InputDescription) {
  const definition = builtins.model.find(({ name }) => name === use)!;
  const model = definition.build(definition.options(optionKit).parse(options), input);
  return { model, input, weights: weightsOf(model) };
}

/** Made-up weights, all of about the size that keeps activations. */
export function weightsOf(model: Model): Map<string, Float32Array> {
  return new Map(model.parameters.map(({ name, shape }, index) => {
    const size = sizeOf(shape);
    const [low, high] = /running_var|norm.*weight$|bn\d?\.weight$/i.test(name)
      ? [0.6, 1.4]
      : [-1, 1].map((sign) => sign * Math.sqrt(3 / Math.max(1, size / shape[0])));
    return [name, Float32Array.from(pseudoRandom(index + 1, size, low, high))];
  }));
}

/** Runs a graph in onnxruntime and the model here, on made-up examples of two sizes. */
export async function compared(
  { model, input, weights }: ReturnType<typeof built>,
  written: WrittenModel,
): Promise<OnnxComparison> {
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const frozen = freeze(ops, model, weights);
  using onnx = await OnnxModel.open(encodeModel(written.graph, {}), written);
  const result = await compareWithOnnx(ops, model, frozen, onnx, madeUp(input, 3));
  frozen.dispose();
  await backend.close();
  return result;
}

/** The graph of such a model. */
export function graphOf({ model, input, weights }: ReturnType<typeof built>, float: FloatType = "float32") {
  return writeGraph(model, input, weights, float);
}

/** Names and shapes of a graph's inputs and outputs. */
export function ports({ inputs, outputs }: Graph): string[] {
  return [...inputs, ...outputs].map(({ name, type, shape }) => `${name} ${type} [${shape?.join(", ")}]`);
}

/** What ranges values of a graph have on made-up examples, by their names. */
export async function rangesOn(
  { input }: ReturnType<typeof built>,
  { graph, inputs, output }: WrittenModel,
  names: readonly string[],
): Promise<Map<string, [number, number]>> {
  const made = names.filter((name) => !inputs.has(name));
  const outputs = [...graph.outputs, ...made.map((name) => ({ name, type: "float32" as const, shape: null }))];
  using onnx = await OnnxModel.open(encodeModel({ ...graph, outputs }, {}), { inputs, output });
  const ranges = new Map<string, [number, number]>(names.map((name) => [name, [0, 0]]));
  for (const batch of madeUp(input, 3)) {
    const values = onnx.run(batch, [output, ...made]);
    for (const name of names) {
      const range = ranges.get(name)!;
      for (const value of (values.get(name) ?? batch[inputs.get(name)!]).data) {
        range[0] = Math.min(range[0], value);
        range[1] = Math.max(range[1], value);
      }
    }
  }
  return ranges;
}

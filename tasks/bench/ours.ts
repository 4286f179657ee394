/**
 * This project: `deno run tasks/bench/ours.ts CASE webgpu|cpu|native`.
 *
 * Written as its pipeline is: the `resnet` plug-in, the `cross-entropy` loss's operations, parameters side by side in
 * one store, the fused optimiser, and steps that are replayed. The batch is uploaded at each step.
 */
import "../../core/deno/install.ts";
import { openBackend } from "../../core/backend/open_backend.ts";
import { type AdamwOptions, createOptimiser, type SgdOptions } from "../../core/nn/optimisers.ts";
import { nativeLibrary } from "../../core/native_library.ts";
import { freeze } from "../../core/nn/frozen_weights.ts";
import { ParameterStore } from "../../core/nn/parameter_store.ts";
import { TensorStore } from "../../core/nn/tensor_store.ts";
import { weightsFrom } from "../../core/nn/weights.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import type { Batch, HostTensor } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import type { Model } from "../../core/plugin/model.ts";
import { type BodyCall, Recorder } from "../../core/replay/recorder.ts";
import type { Tensor } from "../../core/tensor.ts";
import { VERSION } from "../../core/version.ts";
import { bert } from "../../plugins/models/bert/bert.ts";
import { startDecomposition } from "./decomposition.ts";
import { adamw, type EncoderInputs } from "./encoders.ts";
import { unavailable } from "./engines.ts";
import { resnet8, trainedValues } from "./our_resnet8.ts";
import { startOverhead } from "./overhead.ts";
import { runEngine, type Work } from "./protocol.ts";
import {
  attentionSizes,
  batchSize,
  imageSize,
  inferenceBatch,
  type Inputs,
  learningRate,
  matmulSize,
  momentum,
  type Parameter,
} from "./workload.ts";

function startMatmul(ops: Ops, inputs: Inputs["matmul"]): Work {
  const a = ops.tensor(inputs.a, [matmulSize, matmulSize]);
  let x = ops.tensor(inputs.x, [matmulSize, matmulSize]);
  return {
    step() {
      const product = ops.matmul(a, x);
      x.dispose();
      x = product;
    },
    sync: () => firstNumber(x),
  };
}

function startAttention(ops: Ops, inputs: Inputs["attention"]): Work {
  const { heads, length, width } = attentionSizes;
  const [first, k, v] = [inputs.x, inputs.k, inputs.v].map((values) => ops.tensor(values, [heads, length, width]));
  let x = first;
  return {
    step() {
      const next = ops.scope(() => ops.matmul(ops.matmul(x, k, { transposeB: true }), v));
      x.dispose();
      x = next;
    },
    sync: () => firstNumber(x),
  };
}

function startResnet(ops: Ops, { images, labels, parameters }: Inputs["resnet8"]): Work {
  const { model } = resnet8();
  const inputs = {
    image: { data: images, shape: [batchSize, imageSize, imageSize, 1] },
    label: { data: Float32Array.from(labels), shape: [batchSize] },
  };
  return startTraining(ops, {
    model,
    parameters,
    inputs,
    optimiser: { use: "sgd", momentum, nesterov: false },
    rate: learningRate,
    weightDecay: 0,
  });
}

/** As evaluation and predict compute: each batch is uploaded, and nothing is replayed. */
function startInference(ops: Ops, { images, parameters }: Inputs["inference"]): Work {
  const { model } = resnet8();
  const weights = freeze(ops, model, trainedValues(model, parameters));
  let logits: Tensor | undefined;
  return {
    step() {
      logits?.dispose();
      logits = ops.scope(() => {
        const image = ops.tensor(images, [inferenceBatch, imageSize, imageSize, 1]);
        return model.forward({ ops, weights, batch: { image }, training: false, randomSeed: () => 0 }).logits;
      });
    },
    sync: () => firstNumber(logits!),
  };
}

function startEncoder(ops: Ops, { sizes, tokens, labels, parameters }: EncoderInputs): Work {
  const { layers, width, heads, ffn, vocabulary, batch, length } = sizes, shape = [batch, length];
  const options = { layers, width, heads, ffn, vocabulary, positions: length, dropout: 0, attentionDropout: 0 };
  const model = bert.build(bert.options(optionKit).parse(options), {
    task: "classification",
    classes: ["0", "1"],
    image: null,
    text: { vocabulary, maxLength: length, padding: 0, files: {} },
  });
  return startTraining(ops, {
    model,
    parameters,
    inputs: {
      tokens: { data: tokens, shape },
      types: { data: new Float32Array(tokens.length), shape },
      mask: { data: new Float32Array(tokens.length).fill(1), shape },
      label: { data: labels, shape: [batch] },
    },
    optimiser: adamw,
    rate: adamw.learningRate,
    weightDecay: adamw.weightDecay,
  });
}

/** Training by cross-entropy on one batch. */
interface Training {
  readonly model: Model;
  readonly parameters: readonly Parameter[];
  readonly inputs: Batch<HostTensor>;
  readonly optimiser: SgdOptions | AdamwOptions;
  readonly rate: number;
  readonly weightDecay: number;
}

function startTraining(ops: Ops, { model, parameters, inputs, optimiser: chosen, rate, weightDecay }: Training): Work {
  const trained = new ParameterStore(ops, model.parameters.filter(({ trainable }) => trainable));
  const statistics = new TensorStore(ops, model.parameters.filter(({ trainable }) => !trainable));
  for (const { name, values } of parameters) trained.set(name, values);
  for (const { name, shape: [channels] } of statistics.specs) {
    statistics.set(name, new Float32Array(channels).fill(name.endsWith("running_var") ? 1 : 0));
  }
  const weights = weightsFrom(new Map([...trained.tensors, ...statistics.tensors]));
  const optimiser = createOptimiser(ops, trained, chosen);
  const gradientScale = ops.full([1], 1);
  const targets = [...trained.tensors.values()];
  const recorder = new Recorder(ops.device, true);
  const at = () => 0;
  const randomSeed = () => 0;
  const body = ({ inputs: batch }: BodyCall<never>) => {
    const { loss, gradients } = ops.differentiate(() => {
      const { logits } = model.forward({ ops, weights, batch, training: true, randomSeed });
      return ops.negate(ops.mean(ops.pick(ops.logSoftmax(logits), batch.label)));
    }, targets);
    trained.gather(gradients);
    return { loss: [loss] };
  };
  let loss: Tensor | undefined;
  let step = 0;
  return {
    step() {
      loss?.dispose();
      [loss] = ops.scope(() => {
        const { loss } = recorder.run({ key: "", inputs, randomSeed, at, body });
        optimiser.step({ rate, weightDecay, gradientScale, step: ++step });
        return loss;
      });
    },
    sync: () => firstNumber(loss!),
  };
}

async function firstNumber(tensor: Tensor): Promise<number> {
  const view = tensor.alias([1]);
  const [value] = await view.read();
  view.dispose();
  return value;
}

const name = Deno.args[1] as "webgpu" | "cpu" | "native";
const native = name === "native";
if (native && !nativeLibrary()) {
  console.error("no matrix library is at the known places: doctor says how to get one");
  Deno.exit(unavailable);
}
const { backend } = await openBackend(native ? "cpu" : name, { native });
const ops = createOps(backend);
await runEngine({
  name: `ours ${name}`,
  version: VERSION,
  note: backend.description,
  start: {
    matmul: (inputs) => startMatmul(ops, inputs),
    attention: (inputs) => startAttention(ops, inputs),
    resnet8: (inputs) => startResnet(ops, inputs),
    inference: (inputs) => startInference(ops, inputs),
    "encoder-mail": (inputs) => startEncoder(ops, inputs),
    "encoder-minilm": (inputs) => startEncoder(ops, inputs),
    "encoder-base": (inputs) => startEncoder(ops, inputs),
    decompose: (matrix) => startDecomposition(ops.device, "decompose", matrix),
    "decompose-3072": (matrix) => startDecomposition(ops.device, "decompose-3072", matrix),
    overhead: (dispatches) => startOverhead(ops, dispatches),
  },
});

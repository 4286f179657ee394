/**
 * This project: `deno run tasks/bench/ours.ts CASE webgpu|cpu|native`.
 *
 * Written as its pipeline is: the `resnet` plug-in, the `cross-entropy` loss's operations, parameters side by side in
 * one store, the fused optimiser, and steps that are replayed. The batch is uploaded at each step.
 */
import "../../core/deno/install.ts";
import { openBackend } from "../../core/backend/open_backend.ts";
import { createOptimiser } from "../../core/nn/optimisers.ts";
import { nativeLibrary } from "../../core/native_library.ts";
import { ParameterStore } from "../../core/nn/parameter_store.ts";
import { TensorStore } from "../../core/nn/tensor_store.ts";
import { weightsFrom } from "../../core/nn/weights.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { type BodyCall, Recorder } from "../../core/replay/recorder.ts";
import type { Tensor } from "../../core/tensor.ts";
import { VERSION } from "../../core/version.ts";
import { resnet } from "../../plugins/models/resnet/resnet.ts";
import { startDecomposition } from "./decomposition.ts";
import { unavailable } from "./engines.ts";
import { startOverhead } from "./overhead.ts";
import { runEngine, type Work } from "./protocol.ts";
import { batchSize, classes, imageSize, type Inputs, learningRate, matmulSize, momentum } from "./workload.ts";

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

function startTraining(ops: Ops, { images, labels, parameters }: Inputs["resnet8"]): Work {
  const model = resnet.build(resnet.options(optionKit).parse({ depth: 8, width: 16 }), {
    task: "classification",
    classes: Array.from({ length: classes }, (_, label) => String(label)),
    image: { size: [imageSize, imageSize, 1], normalise: { mean: [0], std: [1] } },
    text: null,
  });
  const trained = new ParameterStore(ops, model.parameters.filter(({ trainable }) => trainable));
  const statistics = new TensorStore(ops, model.parameters.filter(({ trainable }) => !trainable));
  for (const { name, values } of parameters) trained.set(name, values);
  for (const { name, shape: [channels] } of statistics.specs) {
    statistics.set(name, new Float32Array(channels).fill(name.endsWith("running_var") ? 1 : 0));
  }
  const weights = weightsFrom(new Map([...trained.tensors, ...statistics.tensors]));
  const inputs = {
    image: { data: images, shape: [batchSize, imageSize, imageSize, 1] },
    label: { data: Float32Array.from(labels), shape: [batchSize] },
  };
  const optimiser = createOptimiser(ops, trained, { use: "sgd", momentum, nesterov: false });
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
        optimiser.step({ rate: learningRate, weightDecay: 0, gradientScale, step: ++step });
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
    resnet8: (inputs) => startTraining(ops, inputs),
    decompose: (matrix) => startDecomposition(ops.device, "decompose", matrix),
    "decompose-3072": (matrix) => startDecomposition(ops.device, "decompose-3072", matrix),
    overhead: (dispatches) => startOverhead(ops, dispatches),
  },
});

import assert from "node:assert/strict";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../core/data/random.ts";
import { UserError } from "../../core/errors.ts";
import { activationsOf, quantise } from "../../core/onnx/quantise.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import type { Model, ModelOutputs, ParameterSpec } from "../../core/plugin/model.ts";
import type { Tensor } from "../../core/tensor.ts";
import { built, compared, graphOf, images, rangesOn, texts, weightsOf } from "../core/onnx/onnx_models.ts";
import type { Campaign } from "./campaign.ts";
import { oneOf } from "./mutations.ts";

type Built = ReturnType<typeof built>;

/** A model of a built-in family, of options that fit each other or do not. */
function family(random: Random): Built {
  const whole = (least: number, most: number) => least + random.below(most - least + 1);
  const some = <Value>(...values: readonly Value[]) => oneOf(random, values);
  const size = (...factors: number[]) => [0, 1].map(() => some(...factors));
  const encoder = () => ({ layers: whole(1, 2), heads: some(1, 2, 4), width: 8 * whole(1, 3), ffn: whole(3, 20) });
  switch (random.below(5)) {
    case 0: {
      const [height, width] = size(8, 9, 12, 17);
      return built("resnet", {
        blocks: Array.from({ length: whole(1, 3) }, () => whole(1, 2)),
        bottleneck: some(true, false),
        width: whole(1, 6),
        stem: some("cifar", "imagenet", "small"),
        shortcut: some("projection", "padded", "padded-behind"),
        subclasses: some(1, 1, 2),
      }, images(height, width, whole(1, 4)));
    }
    case 1:
      return built(
        "mobilenet",
        { version: some("v2", "v3-small"), width: some(0.1, 0.2), stemStride: some(1, 2) },
        images(32, 33, 3),
      );
    case 2: {
      const activation = () => some("relu", "relu6", "hard-swish", "silu", "gelu", "tanh", "none");
      const norm = () => some("batch", "none");
      const layer = () =>
        some<object>(
          {
            use: "conv",
            channels: 2 * whole(1, 4),
            size: some(1, 3),
            stride: some(1, 2),
            norm: norm(),
            activation: activation(),
          },
          { use: some("max-pool", "average-pool"), size: whole(1, 3), stride: whole(1, 2) },
        );
      const layers = [
        ...Array.from({ length: whole(1, 4) }, layer),
        ...some<object[]>([], [{ use: "global-pool" }], [{
          use: "linear",
          width: whole(1, 9),
          norm: norm(),
          activation: activation(),
        }]),
      ];
      return built("cnn", { layers }, images(whole(8, 14), whole(8, 14), whole(1, 4)));
    }
    case 3: {
      const patch = some(2, 4);
      const [height, width] = size(8, 16);
      return built("vit", {
        ...encoder(),
        patch,
        variant: some("vit", "deit"),
        qkv: some("split", "fused"),
        activation: some("gelu", "gelu_new", "relu"),
      }, images(height, width, whole(1, 3)));
    }
    default: {
      const task = some("classification", "regression", "multi-label", "tagging");
      return built("bert", {
        ...encoder(),
        variant: some("bert", "distilbert", "roberta"),
        types: some(null, 0, 1, 3),
        activation: some("gelu", "gelu_new", "relu"),
        crf: task === "tagging" && some(true, false),
        subclasses: task === "classification" ? some(1, 3) : 1,
        positions: 16,
      }, texts(task));
    }
  }
}

/** A model of any operations on images, as a plug-in may have them. */
async function anyOperations(random: Random): Promise<Built> {
  const input = images(4 + random.below(3), 4 + random.below(3), 1 + random.below(3));
  const parameters = new Map<string, ParameterSpec>();
  const weight = (shape: readonly number[]): string => {
    const name = `w${parameters.size}.weight`;
    const initialise = { use: "constant", value: 0 } as const;
    parameters.set(name, { name, shape, initialise, trainable: true, overParameterisable: false });
    return name;
  };
  // What is drawn must be the same in every pass: a list of functions, made at the first on tensors of sizes alone.
  const choices = Array.from({ length: 2 + random.below(9) }, () => random.below(2 ** 30));
  const names: string[][] = [];
  const forward: Model["forward"] = ({ ops, weights, batch }): ModelOutputs => {
    let x = batch.image;
    choices.forEach((choice, index) => {
      const get = (...shapes: readonly number[][]): Tensor[] => {
        names[index] ??= shapes.map(weight);
        return names[index].map((name) => weights.get(name));
      };
      x = operation(ops, x, choice, get);
    });
    const flat = ops.reshape(x, [x.shape[0], -1]);
    names[choices.length] ??= [weight([4, flat.shape[1]])];
    const logits = ops.linear(flat, weights.get(names[choices.length][0]));
    return { logits, features: {}, hidden: [], attention: [], pooled: flat };
  };
  // The first pass says which weights there are.
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const weights = {
    get: (name: string) => ops.full(parameters.get(name)!.shape, 0.1),
    rows: () => [],
    cores: () => null,
  };
  const batch = { image: ops.full([2, ...input.image!.size], 0.5) };
  await Promise.try(() => forward({ ops, weights, batch, training: false, randomSeed: () => 0 }))
    .finally(() => backend.close());
  const model: Model = { parameters: [...parameters.values()], config: {}, fromForeign: (name) => name, forward };
  return { model, input, weights: weightsOf(model) };
}

function operation(ops: Ops, x: Tensor, choice: number, get: (...shapes: readonly number[][]) => Tensor[]): Tensor {
  const rest = Math.floor(choice / 16);
  const channels = x.shape.at(-1)!;
  const isImage = x.shape.length === 4;
  switch (choice % 16) {
    case 0: {
      if (!isImage) return ops.linear(x, ...get([1 + rest % 5, channels]) as [Tensor]);
      const size = 1 + 2 * (rest % 2);
      const [filter] = get([1 + rest % 5, channels, size, size]);
      return ops.conv2d(x, filter, { padding: Math.floor(size / 2), stride: 1 + rest % 2 });
    }
    case 1: {
      const [weight, bias, runningMean, running] = get([channels], [channels], [channels], [channels]);
      const runningVariance = ops.offset(ops.square(running), 0.5);
      return ops.batchNorm(x, weight, bias, { training: false, runningMean, runningVariance });
    }
    case 2:
      return ops.add(x, ...get([channels]) as [Tensor]);
    case 3:
      return ops.multiply(x, ...get([1 + 0 * rest]) as [Tensor]);
    case 4:
      return ops.relu(x);
    case 5:
      return ops.gelu(x);
    case 6: {
      const order = x.shape.map((_, axis) => axis).slice(1);
      const turn = rest % order.length;
      return ops.permute(x, [0, ...order.slice(turn), ...order.slice(0, turn)]);
    }
    case 7:
      return ops.reshape(x, [x.shape[0], -1, channels]);
    case 8:
      return ops.softmax(x);
    case 9:
      return ops.concat([x, ops.tanh(x)], { axis: 1 + rest % (x.shape.length - 1) });
    case 10: {
      const axis = 1 + rest % (x.shape.length - 1);
      return ops.slice(x, { axis, begin: 0, length: Math.ceil(x.shape[axis] / 2) });
    }
    case 11:
      return ops.mean(x, { axes: [1 + rest % (x.shape.length - 1)], keepDimensions: true });
    case 12:
      return isImage && x.shape[1] > 1 && x.shape[2] > 1 ? ops.maxPool2d(x, { size: 2, stride: 1 }) : ops.negate(x);
    case 13:
      return ops.layerNorm(x, ...get([channels], [channels]) as [Tensor, Tensor]);
    case 14:
      return ops.subtract(x, ops.mean(x, { axes: [-1], keepDimensions: true }));
    default:
      return x.shape.length < 3 ? ops.abs(x) : ops.matmul(ops.softmax(ops.matmul(x, x, { transposeB: true })), x);
  }
}

/** Models as ONNX at every precision, by ONNX Runtime. */
export const onnxExportFuzz: Campaign = {
  name: "models exported to ONNX",
  quick: 6,
  async trial(seed) {
    const random = new Random(seed).split("onnx export");
    let model: Built;
    try {
      model = random.below(2) === 0 ? family(random) : await anyOperations(random);
    } catch (error) {
      if (error instanceof UserError || error instanceof RangeError) return "refused";
      throw error;
    }
    const exact = graphOf(model);
    const { difference, largest } = await compared(model, exact);
    assert.ok(difference <= 2e-5 * Math.max(1, largest), `fp32: ${difference} of ${largest}`);
    const half = await compared(model, graphOf(model, "float16"));
    assert.ok(half.difference <= 0.05 * Math.max(1, largest), `fp16: ${half.difference} of ${largest}`);
    const ranges = await rangesOn(model, exact, activationsOf(exact.graph));
    const small = await compared(model, { ...exact, graph: quantise(exact.graph, ranges) });
    // How good eight bits are is the model's; that it is the same model is the export's.
    assert.ok(small.difference <= 0.5 * Math.max(1, largest), `int8: ${small.difference} of ${largest}`);
    return "fine";
  },
};

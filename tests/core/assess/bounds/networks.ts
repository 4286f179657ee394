import { Anchor } from "../../../../core/assess/bounds/anchor.ts";
import type { Box } from "../../../../core/assess/bounds/boxes.ts";
import { buildNetwork } from "../../../../core/assess/bounds/build_network.ts";
import { DeviceNetwork } from "../../../../core/assess/bounds/device_network.ts";
import type { Network } from "../../../../core/assess/bounds/network.ts";
import type { Backend } from "../../../../core/backend/backend.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { infer } from "../../../../core/evaluate/predictions.ts";
import { freeze, type FrozenWeights } from "../../../../core/nn/frozen_weights.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import type { InputDescription } from "../../../../core/plugin/dataset.ts";
import type { ForwardCall, Model } from "../../../../core/plugin/model.ts";
import { sizeOf, type Tensor } from "../../../../core/tensor.ts";
import { pseudoRandom } from "../../../support/numbers.ts";
import { built, images } from "../../onnx/onnx_models.ts";

/** A model with its weights. */
export type Built = ReturnType<typeof built>;

/** Networks of everything that is covered: strides, padding, groups, dilation, residual sums, norms, pools, curves. */
export const NETWORKS: Readonly<Record<string, Built>> = {
  "an MLP": built("mlp", { widths: [12, 9], norm: "batch", activation: "relu" }, images(4, 3, 2)),
  "a ResNet of projections": built("resnet", { depth: 8, width: 3 }, images(6, 5, 1)),
  "a ResNet of padded shortcuts": built("resnet", { depth: 8, width: 2, shortcut: "padded" }, images(5, 6, 2)),
  "a stack with pools, groups, dilation and strides": built("cnn", {
    layers: [
      { use: "conv", channels: 4, size: 3, stride: 2, groups: 2, activation: "relu6" },
      { use: "max-pool", size: 3, stride: 1, padding: 1 },
      { use: "conv", channels: 6, size: 3, dilation: 2, norm: "none", activation: "hard-swish" },
      { use: "conv", channels: 6, size: 3, groups: 6, activation: "relu" },
      { use: "average-pool", size: 2, stride: 1, padding: 1 },
      { use: "max-pool", size: 2 },
      { use: "linear", width: 7, norm: "none", activation: "relu" },
    ],
  }, images(7, 6, 2)),
};

/** A network on a backend, beside the same in float64; until it is disposed of. */
export class Opened implements AsyncDisposable {
  private constructor(
    readonly built: Built,
    readonly exact: Ops,
    readonly exactWeights: FrozenWeights,
    readonly network: Network,
    readonly device: DeviceNetwork,
  ) {}

  static async on(backend: Backend, built: Built): Promise<Opened> {
    const exact = createOps(await CpuBackend.create({ precision: "float64" }));
    const exactWeights = freeze(exact, built.model, built.weights);
    const network = await buildNetwork(exact, built.model, exactWeights, built.input);
    return new Opened(built, exact, exactWeights, network, new DeviceNetwork(createOps(backend), network));
  }

  get classes(): number {
    return this.network.logits.shape[1] as number;
  }

  /** The shape of so many images. */
  shape(count: number): number[] {
    return [count, ...this.built.input.image!.size];
  }

  /** Made-up images. */
  images(count: number, seed: number) {
    const shape = this.shape(count);
    return { shape, data: Float32Array.from(pseudoRandom(seed, sizeOf(shape), -1.2, 1.8)) };
  }

  async anchor(images: { readonly data: Float32Array; readonly shape: readonly number[] }): Promise<Anchor> {
    return await Anchor.at(this.exact, this.network, this.exactWeights, images);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.device[Symbol.dispose]();
    this.exactWeights.dispose();
    await this.exact.backend.close();
  }
}

/** Boxes that go down and up by different numbers; every seventh does not move at all. */
export function someBox(size: number, seed: number, most: number): Box {
  const side = (seed: number) =>
    Float32Array.from(pseudoRandom(seed, size, 0, most), (one, i) => i % 7 === 6 ? 0 : one);
  return { lower: side(seed), upper: side(seed + 1) };
}

/** The model's own logits for many images, and where a linear function of them grows. */
export async function logitsAndSlopes(
  ops: Ops,
  { model, input, weights }: Built,
  points: ArrayLike<number>,
  functions: ArrayLike<number> | null = null,
) {
  const frozen = freeze(ops, model, weights);
  const count = points.length / sizeOf(input.image!.size);
  const [logits, slopes] = ops.scope(() => {
    const image = ops.tensor(points, [count, ...input.image!.size]);
    let logits: Tensor | null = null;
    const value = () => {
      logits = infer(ops, model, frozen, { image }).logits;
      return ops.sum(functions ? ops.multiply(logits, ops.tensor(functions, logits.shape)) : logits);
    };
    if (!functions) value();
    const slopes = functions ? ops.differentiate(value, [image]).gradients[0]! : image;
    return [ops.reshape(logits!, logits!.shape), ops.reshape(slopes, slopes.shape)];
  });
  const numbers = await ops.read([logits, slopes]);
  for (const tensor of [logits, slopes]) tensor.dispose();
  frozen.dispose();
  return { logits: numbers[0], slopes: numbers[1] };
}

/**
 * Images in a box around one, and the model's logits for them: half of them anywhere, half at the box's corners, of
 * these half where some linear function of the logits grows.
 */
export async function imagesIn(ops: Ops, built: Built, image: Float32Array, box: Box, count: number, seed: number) {
  const size = image.length;
  const points = new Float64Array(count * size);
  const draws = pseudoRandom(seed, count * size, 0, 1);
  for (let i = 0; i < points.length; i++) {
    const [point, pixel] = [Math.floor(i / size), i % size];
    const draw = point % 2 === 0 ? draws[i] : Math.round(draws[i]);
    points[i] = image[pixel] - box.lower[pixel] + draw * (box.lower[pixel] + box.upper[pixel]);
  }
  const functions = pseudoRandom(seed + 1, count * built.input.classes.length, -1, 1);
  const { slopes } = await logitsAndSlopes(ops, built, points, functions);
  for (let point = 3; point < count; point += 4) {
    for (let pixel = 0; pixel < size; pixel++) {
      const at = point * size + pixel;
      points[at] = slopes[at] > 0 ? image[pixel] + box.upper[pixel] : image[pixel] - box.lower[pixel];
    }
  }
  return await logitsAndSlopes(ops, built, points);
}

/** A model written out, over images of `[1, 1, width]`. */
export function written(
  width: number,
  shapes: Readonly<Record<string, readonly number[]>>,
  numbers: Readonly<Record<string, readonly number[]>>,
  logits: (call: ForwardCall) => Tensor,
): Built {
  const input: InputDescription = images(1, 1, width);
  const model = {
    parameters: Object.entries(shapes).map(([name, shape]) => ({
      name,
      shape,
      initialise: { kind: "zeros" } as never,
      trainable: true,
      overParameterisable: false,
    })),
    config: {},
    fromForeign: (name: string) => name,
    forward(call: ForwardCall) {
      const own = logits(call);
      return { logits: own, features: {}, hidden: [], attention: [], pooled: own };
    },
  } as Model;
  return {
    model,
    input,
    weights: new Map(Object.entries(numbers).map(([name, own]) => [name, Float32Array.from(own)])),
  };
}

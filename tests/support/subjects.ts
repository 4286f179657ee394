import type { Subject } from "../../core/assess/subject.ts";
import { Random } from "../../core/data/random.ts";
import { freeze } from "../../core/nn/frozen_weights.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Examples, InputDescription } from "../../core/plugin/dataset.ts";
import type { ForwardCall, Model } from "../../core/plugin/model.ts";

/** Images of numbers from 0 to 1, normalised, with labels. */
export function imageExamples(
  pixels: readonly Float32Array[],
  labels: readonly number[],
  { size, normalise: { mean, std } }: NonNullable<InputDescription["image"]>,
): Examples {
  const channels = size[2];
  return {
    length: labels.length,
    labels: Int32Array.from(labels),
    batch: (indices) => ({
      image: {
        data: Float32Array.from(
          Array.from(indices).flatMap((index) =>
            Array.from(pixels[index], (value, at) => (value - mean[at % channels]) / std[at % channels])
          ),
        ),
        shape: [indices.length, ...size],
      },
      label: { data: Float32Array.from(indices, (index) => labels[index]), shape: [indices.length] },
    }),
  };
}

/** A model whose logits are given by a function, and its weights. */
export function madeUpModel(
  weights: Readonly<Record<string, readonly number[]>>,
  logits: (call: ForwardCall) => ReturnType<ForwardCall["ops"]["linear"]>,
): Model {
  const parameters = Object.entries(weights).map(([name, shape]) => {
    const plain = { trainable: true, overParameterisable: false } as const;
    return { name, shape, initialise: { kind: "zeros" } as never, ...plain };
  });
  return {
    parameters,
    config: { architecture: "made-up" },
    fromForeign: (name) => name,
    forward(call) {
      const own = logits(call);
      return { logits: own, features: {}, hidden: [], attention: [], pooled: own };
    },
  };
}

/** A subject without a folder. */
export function madeUpSubject(
  ops: Ops,
  name: string,
  model: Model,
  numbers: ReadonlyMap<string, Float32Array>,
  input: InputDescription,
  examples: Examples,
): Subject {
  const weights = freeze(ops, model, numbers);
  return {
    name,
    folder: name,
    architecture: "made-up",
    model,
    weights,
    numbers,
    input,
    examples,
    train: examples,
    validation: null,
    otherData: null,
    kin: null,
    overParameterised: null,
    vocabulary: null,
    differentiable: true,
    temperature: 1,
    parameters: 0,
    [Symbol.dispose]: () => weights.dispose(),
  };
}

/** Images of 4 x 4 with two channels that are normalised differently. */
export const SMALL_IMAGES: InputDescription = {
  task: "classification",
  classes: ["a", "b", "c"],
  image: { size: [4, 4, 2], normalise: { mean: [0.3, 0.5], std: [0.5, 0.2] } },
  text: null,
};

/** A network of a convolution, ReLU and a linear layer with random weights, on random images. */
export function smallNetwork(ops: Ops, seed: number, count = 24, input = SMALL_IMAGES): Subject {
  const random = new Random(seed);
  const numbersOf = (size: number, scale: number) => Float32Array.from({ length: size }, () => scale * random.normal());
  const classes = input.classes.length;
  const model = madeUpModel(
    { "conv.weight": [6, 2, 3, 3], "fc.weight": [classes, 96], "fc.bias": [classes] },
    ({ ops, weights, batch }) => {
      const hidden = ops.relu(ops.conv2d(batch.image, weights.get("conv.weight"), { padding: 1 }));
      const flat = ops.reshape(hidden, [hidden.shape[0], 96]);
      return ops.linear(flat, weights.get("fc.weight"), weights.get("fc.bias"));
    },
  );
  const numbers = new Map([
    ["conv.weight", numbersOf(6 * 2 * 9, 0.4)],
    ["fc.weight", numbersOf(classes * 96, 0.2)],
    ["fc.bias", numbersOf(classes, 0.1)],
  ]);
  const pixels = Array.from({ length: count }, () => Float32Array.from({ length: 32 }, () => random.uniform()));
  const labels = pixels.map(() => random.below(classes));
  return madeUpSubject(ops, `network ${seed}`, model, numbers, input, imageExamples(pixels, labels, input.image!));
}

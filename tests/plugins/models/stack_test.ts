import assert from "node:assert/strict";
import { Student } from "../../../core/distill/student/student.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model, ModelDefinition, ModelOutputs } from "../../../core/plugin/model.ts";
import { showShape, sizeOf } from "../../../core/tensor.ts";
import { cnn } from "../../../plugins/models/stack/cnn.ts";
import { mlp } from "../../../plugins/models/stack/mlp.ts";
import golden from "../../golden/images.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertFingerprint } from "../../support/fingerprints.ts";
import { imageData } from "../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

type Image = readonly [number, number, number];

function build(definition: ModelDefinition, options: Record<string, unknown>, image: Image, classes: number): Model {
  const labels = Array.from({ length: classes }, (_, index) => `${index}`);
  return definition.build(definition.options(optionKit).parse(options), imageData(image, labels));
}

/** The networks of tests/golden/images.py. */
const stacks = {
  cnn: {
    definition: cnn,
    classes: 5,
    options: {
      layers: [
        { use: "conv", channels: 8, activation: "relu6" },
        { use: "max-pool" },
        { use: "conv", channels: 8, size: 5, groups: 8, activation: "hard-swish" },
        { use: "conv", channels: 6, stride: 2, dilation: 2, norm: "none", activation: "silu" },
        { use: "average-pool", stride: 1 },
        { use: "linear", width: 7, activation: "gelu" },
      ],
    },
  },
  global: {
    definition: cnn,
    classes: 3,
    options: {
      layers: [
        { use: "conv", channels: 4, size: 1, norm: "none", activation: "none" },
        { use: "global-pool" },
      ],
    },
  },
  mlp: { definition: mlp, classes: 3, options: { widths: [6, 5], norm: "batch", activation: "tanh" } },
} as const;

for (const [name, { definition, classes, options }] of Object.entries(stacks)) {
  const expected = golden.stacks[name as keyof typeof stacks];
  const model = build(definition, options, expected.image.slice(1) as unknown as Image, classes);

  Deno.test(`the stack "${name}" has the tensors of PyTorch's nn.Sequential`, () => {
    assert.deepEqual(model.parameters.map(({ name, shape }) => `${name} ${showShape(shape)}`), expected.tensors);
  });

  testBackends(`the stack "${name}" gives PyTorch's logits and gradients`, async (backend) => {
    const ops = createOps(backend);
    const numbers = new Map(model.parameters.map(({ name, shape }, index) => {
      const [low, high] = name.endsWith("running_var") ? [0.5, 1.5] : [-0.5, 0.5];
      return [name, Float32Array.from(pseudoRandom(70 + index, sizeOf(shape), low, high))];
    }));
    const student = new Student(ops, model, new Map(), numbers);
    const image = ops.tensor(Float32Array.from(pseudoRandom(69, sizeOf(expected.image))), expected.image);
    const forward = (training: boolean): ModelOutputs =>
      model.forward({ ops, weights: student.weights(), batch: { image }, training, randomSeed: () => 0 });
    const tolerance = backend.precision === "float64" ? 1e-6 : 1e-4;
    assertClose(await forward(false).logits.read(), expected.eval, tolerance / 10, "evaluation");
    const label = ops.tensor(Float32Array.from({ length: expected.image[0] }, (_, index) => index % classes));
    let logits: ModelOutputs["logits"];
    const targets = student.plain.tensors;
    const { gradients } = ops.differentiate(
      () => ops.mean(ops.crossEntropy(logits = forward(true).logits, label)),
      [...targets.values()],
    );
    assertClose(await logits!.read(), expected.train, tolerance / 10, "training");
    const largest = Math.max(...expected.gradients.map(([norm]) => norm));
    for (const [index, name] of [...targets.keys()].entries()) {
      // Batch norm takes away what a bias before it adds: those gradients are rounding.
      const [read, least] = [await gradients[index]!.read(), 1e-2 * largest];
      assertFingerprint(read, expected.gradients[index], 90 + index, tolerance, name, least);
    }
  }, [float64, ...backends]);
}

Deno.test("convolutions and matrices may be over-parameterised, depthwise filters if asked for", () => {
  for (const depthwiseChains of [false, true]) {
    const model = build(cnn, { ...stacks.cnn.options, depthwiseChains }, [11, 9, 3], 5);
    const chosen = model.parameters.filter(({ overParameterisable }) => overParameterisable).map(({ name }) => name);
    assert.deepEqual(
      chosen,
      ["0.weight", ...(depthwiseChains ? ["4.weight"] : []), "7.weight", "11.weight", "13.weight"],
    );
  }
});

Deno.test("tensors of a stack within another module keep their numbers", () => {
  const { fromForeign } = build(mlp, { widths: [3] }, [2, 2, 1], 2);
  assert.equal(fromForeign("module.net.1.weight"), "1.weight");
  assert.equal(fromForeign("1.weight"), "1.weight");
  assert.equal(fromForeign("fc.weight"), "fc.weight");
  assert.equal(fromForeign("net.2.num_batches_tracked"), null);
});

Deno.test("layers that do not fit each other are refused with their number", () => {
  const refused = (layers: unknown[], message: string) =>
    assert.throws(() => build(cnn, { layers }, [6, 5, 3], 2), { name: "UserError", message });
  refused(
    [{ use: "linear", width: 4 }, { use: "max-pool" }],
    "Cannot build layer 1 of the stack, max-pool: it takes images, and the linear layer before it gives vectors",
  );
  refused(
    [{ use: "max-pool", size: 3 }, { use: "conv", channels: 2, size: 5, padding: 1 }],
    "Cannot build layer 1 of the stack, conv: its window of 5 pixels does not fit into a height of 2 with padding 1",
  );
  refused(
    [{ use: "conv", channels: 4, groups: 2 }],
    "Cannot build layer 0 of the stack, conv in 2 groups: they must divide the 3 channels that it takes and the 4 " +
      "that it gives",
  );
  refused(
    [{ use: "average-pool", size: 2, padding: 2 }],
    "Cannot build layer 0 of the stack, average-pool with padding 2: it may be half of its size, 2, at most",
  );
});

Deno.test("layers follow from the config.json beside the weights, and may not be said otherwise", () => {
  const parse = (definition: ModelDefinition, options: Record<string, unknown>) =>
    definition.options(optionKit).parse(options);
  const { options } = stacks.cnn;
  const model = build(cnn, options, [11, 9, 3], 5);
  const stored = { shapes: new Map(), config: { architecture: "cnn", ...JSON.parse(JSON.stringify(model.config)) } };
  assert.deepEqual(cnn.fromWeights!(stored, parse(cnn, {})), parse(cnn, options));
  assert.deepEqual(cnn.fromWeights!(stored, parse(cnn, options)), parse(cnn, options));
  assert.throws(() => cnn.fromWeights!(stored, parse(cnn, { layers: [{ use: "global-pool" }] })), {
    name: "UserError",
    message:
      /^Cannot build a cnn with layers: \[\{"use":"global-pool"\}\] for weights whose config\.json says \[\{"use"/,
  });
  const perceptron = { shapes: new Map(), config: { architecture: "mlp", widths: [3], activation: "gelu" } };
  assert.equal(mlp.fromWeights!(perceptron, parse(mlp, {})).activation, "gelu");
  assert.throws(() => mlp.fromWeights!(perceptron, parse(mlp, { activation: "relu" })), {
    name: "UserError",
    message: 'Cannot build a mlp with activation: "relu" for weights whose config.json says "gelu": leave activation ' +
      "out, or name other weights",
  });
  assert.throws(() => build(mlp, {}, [2, 2, 1], 2), {
    name: "UserError",
    message: "Cannot build an mlp of no widths: expected widths, such as [256, 128], or weights with a config.json " +
      "that lists them",
  });
});

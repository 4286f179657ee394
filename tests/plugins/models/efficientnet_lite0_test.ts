import assert from "node:assert/strict";
import { Student } from "../../../core/distill/student/student.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { sha256 } from "../../../core/sha256.ts";
import { showShape, sizeOf } from "../../../core/tensor.ts";
import { efficientnetLite0 } from "../../../plugins/models/efficientnet/efficientnet_lite0.ts";
import timm from "../../fixtures/efficientnet/timm.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertFingerprint } from "../../support/fingerprints.ts";
import { imageData } from "../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

const CLASSES = 5;

const parse = (options: Record<string, unknown>) => efficientnetLite0.options(optionKit).parse(options);

function build(options: Record<string, unknown>, image: readonly [number, number, number], classes = CLASSES): Model {
  const labels = Array.from({ length: classes }, (_, index) => `${index}`);
  return efficientnetLite0.build(parse(options), imageData(image, labels));
}

/** The weights of make.py. */
function generated({ parameters }: Model): Map<string, Float32Array> {
  return new Map(parameters.map(({ name, shape }, index) => {
    const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
    const isOffset = name.endsWith("bias") || name.endsWith("running_mean");
    const [low, high] = shape.length > 1 ? [-bound, bound] : isOffset ? [-0.3, 0.3] : [0.5, 1.5];
    return [name, Float32Array.from(pseudoRandom(index + 1, sizeOf(shape), low, high))];
  }));
}

function open(variant: string, shape: readonly number[], ops: Ops) {
  const model = build({ variant, dropout: 0 }, shape.slice(1) as [number, number, number]);
  const student = new Student(ops, model, new Map(), generated(model));
  const image = ops.tensor(Float32Array.from(pseudoRandom(1000, sizeOf(shape))), shape);
  const forward = (training: boolean): ModelOutputs =>
    model.forward({ ops, weights: student.weights(), batch: { image }, training, randomSeed: () => 0 });
  return { student, forward };
}

Deno.test("EfficientNet-Lite0 has timm's tensors in timm's order", async () => {
  for (const [width, expected] of Object.entries(timm.tensors)) {
    const { parameters, layerPrefixes } = build({ width: Number(width) }, [224, 224, 3], 1000);
    const lines = parameters.map(({ name, shape }) => `${name} ${showShape(shape)}\n`);
    assert.equal(await sha256(new TextEncoder().encode(lines.join(""))), expected);
    assert.deepEqual([layerPrefixes!.length, layerPrefixes![0]], [16, "blocks.0.0."]);
  }
});

for (const [variant, expected] of Object.entries(timm.networks)) {
  testBackends(`EfficientNet-Lite0 of ${variant} gives timm's logits`, async (backend) => {
    const { forward } = open(variant, expected.image, createOps(backend));
    assertClose(await forward(false).logits.read(), expected.eval, 1e-5, "logits");
    assertClose(await forward(true).logits.read(), expected.train, 1e-4, "logits in training");
  }, backends);

  testBackends(`EfficientNet-Lite0 of ${variant} gives timm's gradients`, async (backend) => {
    const ops = createOps(backend);
    const { student, forward } = open(variant, expected.image, ops);
    const targets = [...student.plain.tensors];
    const label = ops.tensor(Float32Array.from({ length: expected.image[0] }, (_, index) => index % CLASSES));
    const { gradients } = ops.differentiate(
      () => ops.mean(ops.crossEntropy(forward(true).logits, label)),
      targets.map(([, tensor]) => tensor),
    );
    for (const [place, numbers] of Object.entries(expected.gradients)) {
      const [index, least] = [
        Number(place),
        1e-3 * Math.max(...Object.values(expected.gradients).map(([norm]) => norm)),
      ];
      assertFingerprint(await gradients[index]!.read(), numbers, 2000 + index, 1e-6, targets[index][0], least);
    }
  }, [float64]);
}

Deno.test("whose numbers count follows from config.json, and is asked for where nothing says it", () => {
  const shapes = new Map(
    build({ width: 0.25 }, [32, 32, 3]).parameters.map(({ name, shape }) => [`module.${name}`, shape]),
  );
  const follow = (config: Record<string, unknown> | null, options: Record<string, unknown> = {}) =>
    efficientnetLite0.fromWeights!({ shapes, config }, parse(options));
  assert.equal(follow({ architecture: "tf_efficientnet_lite0" }).variant, "tf");
  assert.equal(follow({ architecture: "efficientnet_lite0" }).variant, "timm");
  assert.equal(follow({ architecture: "efficientnet_lite0" }).width, 0.25);
  const own = build({ variant: "tf", width: 0.25, stemStride: 1 }, [32, 32, 3]).config;
  const { variant, stemStride } = follow({ ...own, architecture: "efficientnet-lite0" });
  assert.deepEqual([variant, stemStride], ["tf", 1]);
  assert.equal(follow(null, { variant: "tf" }).variant, "tf");
  assert.throws(() => follow(null), {
    name: "UserError",
    message:
      "Cannot tell whether the weights are of tf_efficientnet_lite0 or of efficientnet_lite0, whose tensors are " +
      "the same, as no config.json beside them says it: set variant to tf or timm",
  });
  assert.throws(() => follow({ architecture: "efficientnet_lite0" }, { variant: "tf" }), {
    name: "UserError",
    message:
      "Cannot build the model efficientnet-lite0 with variant: tf for these weights, whose config.json says timm: " +
      "leave variant out, or name other weights",
  });
  assert.throws(() => follow({ architecture: "efficientnet_lite0" }, { width: 1 }), {
    name: "UserError",
    message:
      "Cannot build the model efficientnet-lite0 with width: 1 for these weights, whose tensors have 0.25: leave " +
      "width out, or name other weights",
  });
  assert.equal(build({}, [32, 32, 3]).explain!(shapes), "fit an efficientnet-lite0 with width: 0.25");
  assert.equal(build({}, [32, 32, 3]).explain!(new Map([["a", [1]]])), null);
});

Deno.test("TensorFlow's padding is refused where one side is odd and the other even", () => {
  build({ variant: "tf" }, [64, 96, 3]);
  assert.throws(() => build({ variant: "tf" }, [40, 36, 3]), {
    name: "UserError",
    message:
      "Cannot build the model efficientnet-lite0 with variant: tf for images of 40 x 36 pixels, as halving makes " +
      "one side odd while the other is even: take square ones",
  });
});

import assert from "node:assert/strict";
import { Student } from "../../../core/distill/student/student.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Model, ModelOutputs } from "../../../core/plugin/model.ts";
import { showShape, sizeOf } from "../../../core/tensor.ts";
import { mobilenet } from "../../../plugins/models/mobilenet/mobilenet.ts";
import torchvision from "../../fixtures/mobilenet/torchvision.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertFingerprint } from "../../support/fingerprints.ts";
import { imageData } from "../../support/inputs.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

const CLASSES = 5;

/** Builds a model as the pipeline does: options through the plug-in's own schema. */
function build(options: Record<string, unknown>, image: readonly [number, number, number], classes = CLASSES): Model {
  const labels = Array.from({ length: classes }, (_, index) => `${index}`);
  return mobilenet.build(mobilenet.options(optionKit).parse(options), imageData(image, labels));
}

const shapesOf = ({ parameters }: Model) => new Map(parameters.map(({ name, shape }) => [name, shape]));

async function digest(lines: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

for (const [network, expected] of Object.entries(torchvision.tensors)) {
  Deno.test(`MobileNet ${network} has torchvision's tensors in torchvision's order`, async () => {
    const [version, width] = network.split(" ");
    const { parameters } = build({ version, width: Number(width) }, [224, 224, 3], 1000);
    assert.equal(await digest(parameters.map(({ name, shape }) => `${name} ${showShape(shape)}`)), expected);
  });
}

Deno.test("every layer but the depthwise may be over-parameterised, and those if asked for", () => {
  for (const version of ["v2", "v3-large", "v3-small"]) {
    for (const depthwiseChains of [false, true]) {
      const { parameters } = build({ version, width: 0.5, depthwiseChains }, [32, 32, 3]);
      for (const { name, shape, trainable, overParameterisable } of parameters) {
        const isDepthwise = shape.length === 4 && shape[1] === 1;
        assert.equal(overParameterisable, shape.length > 1 && (!isDepthwise || depthwiseChains), name);
        assert.equal(trainable, !name.includes("running"), name);
      }
    }
  }
});

type Expected = typeof torchvision.networks.v2;

/** The weights of make.py. */
function generated({ parameters }: Model): Map<string, Float32Array> {
  return new Map(parameters.map(({ name, shape }, index) => {
    const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
    const isOffset = name.endsWith("bias") || name.endsWith("running_mean");
    const [low, high] = shape.length > 1 ? [-bound, bound] : isOffset ? [-0.3, 0.3] : [0.5, 1.5];
    return [name, Float32Array.from(pseudoRandom(index + 1, sizeOf(shape), low, high))];
  }));
}

function open({ version, width, stemStride, image: shape }: Expected, ops: Ops) {
  const model = build({ version, width, stemStride, dropout: 0 }, shape.slice(1) as [number, number, number]);
  const student = new Student(ops, model, new Map(), generated(model));
  const image = ops.tensor(Float32Array.from(pseudoRandom(1000, sizeOf(shape))), shape);
  const forward = (training: boolean): ModelOutputs =>
    model.forward({ ops, weights: student.weights(), batch: { image }, training, randomSeed: () => 0 });
  return { model, student, image, forward };
}

/**
 * Holds tensors against their norms and products with the generator's numbers. A norm counts as a thousandth of the
 * largest at least: batch norm takes away what a bias before it adds, so that some gradients are rounding alone.
 */
function assertFingerprints(
  tensors: Iterable<readonly [name: string, numbers: ArrayLike<number>]>,
  expected: readonly (readonly number[])[],
  tolerance: number,
): void {
  let index = 0;
  const least = 1e-3 * Math.max(...expected.map(([norm]) => norm));
  for (const [name, numbers] of tensors) {
    assertFingerprint(numbers, expected[index], 2000 + index++, tolerance, name, least);
  }
  assert.equal(index, expected.length);
}

for (const [name, expected] of Object.entries(torchvision.networks)) {
  const isExact = (precision: string) => precision === "float64";

  testBackends(`MobileNet ${name} gives torchvision's logits with running statistics`, async (backend) => {
    const ops = createOps(backend);
    const { logits, features, hidden, pooled } = open(expected, ops).forward(false);
    assertClose(await logits.read(), expected.eval, isExact(backend.precision) ? 1e-7 : 1e-5, "logits");
    assert.equal(Object.keys(features).length, hidden.length + 2);
    assert.equal(pooled.shape.length, 2);
  }, [float64, ...backends]);

  testBackends(
    `MobileNet ${name} gives torchvision's logits, gradients and statistics in training`,
    async (backend) => {
      const ops = createOps(backend);
      const { student, forward } = open(expected, ops);
      const targets = student.plain.tensors;
      let logits: ModelOutputs["logits"];
      const label = ops.tensor(Float32Array.from({ length: expected.image[0] }, (_, index) => index % CLASSES));
      const { gradients } = ops.differentiate(
        () => ops.mean(ops.crossEntropy(logits = forward(true).logits, label)),
        [...targets.values()],
      );
      const read = await ops.read(gradients.map((gradient) => gradient!));
      const tolerance = isExact(backend.precision) ? 1e-6 : 1e-3;
      assertClose(await logits!.read(), expected.train, isExact(backend.precision) ? 1e-7 : 1e-4, "logits");
      assertFingerprints([...targets.keys()].map((name, index) => [name, read[index]]), expected.gradients, tolerance);
      assertFingerprints(await student.untrained.read(), expected.statistics, tolerance);
    },
    [float64, ...backends],
  );
}

Deno.test("version and width follow from torchvision's weights, also of distributed and compiled modules", () => {
  const nothing = mobilenet.options(optionKit).parse({});
  for (const [version, width] of [["v2", 0.35], ["v3-large", 1], ["v3-small", 0.5]]) {
    const shapes = shapesOf(build({ version, width }, [32, 32, 3], 7));
    for (const prefix of ["", "module.", "_orig_mod.module."]) {
      const stored = new Map([...shapes].map(([name, shape]) => [prefix + name, shape]));
      stored.set(`${prefix}features.0.1.num_batches_tracked`, []);
      const options = mobilenet.fromWeights!({ shapes: stored, config: null }, nothing);
      assert.deepEqual([options.version, options.width, options.stemStride], [version, width, null]);
    }
  }
});

Deno.test("weights that contradict the recipe are refused in a sentence", () => {
  const parse = (options: Record<string, unknown>) => mobilenet.options(optionKit).parse(options);
  const stored = (config: Record<string, unknown> | null = null) => ({
    shapes: shapesOf(build({ version: "v2", width: 0.5 }, [32, 32, 3])),
    config,
  });
  const refused = (options: Record<string, unknown>, message: string, config?: Record<string, unknown>) =>
    assert.throws(() => mobilenet.fromWeights!(stored(config), parse(options)), { name: "UserError", message });
  refused(
    { version: "v3-small" },
    "Cannot build a mobilenet with version: v3-small for these weights, which are of one with version: v2: leave " +
      "version out, or name other weights",
  );
  refused(
    { width: 0.75 },
    "Cannot build a mobilenet with width: 0.75 for these weights, which are of one with width: 0.5: leave width out, " +
      "or name other weights",
  );
  refused(
    { stemStride: 2 },
    "Cannot build a mobilenet with stemStride: 2 for these weights, whose config.json says 1: leave stemStride out, " +
      "or name other weights",
    { architecture: "mobilenet", version: "v2", width: 0.5, stemStride: 1 },
  );
  assert.throws(() => mobilenet.fromWeights!({ shapes: new Map([["a", [3]]]), config: null }, parse({})), {
    name: "UserError",
    message: "Cannot tell which MobileNet the weights are of, as their tensors are not torchvision's of any: say " +
      "version (v2, v3-large, v3-small) and width",
  });
  // 0.51 makes the channels of 0.5.
  assert.equal(mobilenet.fromWeights!(stored(), parse({ version: "v2", width: 0.51 })).width, 0.51);
});

Deno.test("weights of another width are explained", () => {
  const model = build({ version: "v2", width: 0.5 }, [32, 32, 3]);
  const others = shapesOf(build({ version: "v3-small", width: 0.75 }, [32, 32, 3], 10));
  assert.equal(model.explain!(others), "fit a mobilenet with version: v3-small, width: 0.75");
  assert.equal(model.explain!(new Map([["a", [1]]])), null);
});

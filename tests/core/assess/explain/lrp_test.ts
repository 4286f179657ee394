import assert from "node:assert/strict";
import { checkLrp } from "../../../../core/assess/explain/lrp/lrp.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { traceModel } from "../../../../core/onnx/trace.ts";
import type { ForwardCall } from "../../../../core/plugin/model.ts";
import type { Tensor } from "../../../../core/tensor.ts";
import { testBackends } from "../../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { built, images, texts } from "../../onnx/onnx_models.ts";
import { lrpOf, modelOf, numbersFor } from "./small_models.ts";

/** A bias-free ReLU network with all that residual networks have: convolutions, sums, and pools of both kinds. */
const network = modelOf(
  { stem: [4, 2, 3, 3], block: [4, 4, 3, 3], wide: [6, 4, 1, 1], hidden: [5, 6 * 4], head: [3, 5] },
  ({ ops, batch }, get) => {
    const stem = ops.relu(ops.conv2d(batch.image, get("stem"), { padding: 1 }));
    const pooled = ops.maxPool2d(stem, { size: 2 });
    const sum = ops.relu(ops.add(ops.conv2d(pooled, get("block"), { padding: 1 }), pooled));
    const wide = ops.relu(ops.conv2d(ops.averagePool2d(sum, { size: 2 }), get("wide")));
    const vectors = ops.reshape(ops.permute(wide, [0, 3, 1, 2]), [wide.shape[0], -1]);
    return ops.linear(ops.relu(ops.linear(vectors, get("hidden"))), get("head"));
  },
);
const input = images(8, 8, 2);
const bounds = { low: [-1.4, -1.4], high: [2, 2] };

testBackends("in a bias-free ReLU network each rule's relevances add up to the logit", async (backend) => {
  const image = pseudoRandom(5, 3 * 8 * 8 * 2, -1.4, 2);
  const given = { model: network, numbers: numbersFor(network, 3), input, image, target: 1 };
  for (const rule of ["epsilon", "z+", "composite"] as const) {
    for (const first of ["same", "z-box", "w2", "flat"] as const) {
      const { errors, logits, biases } = await lrpOf(backend, given, { rule, first, bounds });
      assert.ok(Math.max(...logits.map(Math.abs)) > 0.1);
      assert.deepEqual([...biases], [0, 0, 0]);
      assert.ok(Math.max(...errors) < 1e-5, `${rule}, ${first}: off by ${errors}`);
    }
  }
});

testBackends("of a linear network an input's relevance is its weight times its value", async (backend) => {
  const model = modelOf(
    { first: [4, 6], second: [2, 4] },
    ({ ops, batch }, get) =>
      ops.linear(ops.linear(ops.reshape(batch.image, [batch.image.shape[0], 6]), get("first")), get("second")),
  );
  const numbers = numbersFor(model);
  const image = pseudoRandom(9, 12, -2, 2);
  const { relevance } = await lrpOf(backend, { model, numbers, input: images(2, 3, 1), image, target: 1 }, {});
  const [first, second] = [numbers.get("first")!, numbers.get("second")!];
  const weight = (at: number) => [0, 1, 2, 3].reduce((sum, row) => sum + second[4 + row] * first[row * 6 + at], 0);
  assertClose(relevance, image.map((value, at) => value * weight(at % 6)), 1e-6);
});

/** x = (1, 2), hidden (3 -1; -1 2) x = (1, 3), f = 2 h1 - h2 = -1. */
const byHand = {
  model: modelOf({ hidden: [2, 2], head: [1, 2] }, ({ ops, batch }, get) => {
    const x = ops.reshape(batch.image, [batch.image.shape[0], 2]);
    return ops.linear(ops.relu(ops.linear(x, get("hidden"))), get("head"));
  }),
  numbers: new Map([["hidden", Float32Array.of(3, -1, -1, 2)], ["head", Float32Array.of(2, -1)]]),
  input: images(1, 2, 1),
  image: [1, 2],
  target: 0,
};

testBackends("each rule gives what is worked out by hand", async (backend) => {
  // Relevances of the hidden two are 2 and -3 by epsilon; by z+ all of -1 is the first's, as only it speaks for f.
  const expected = [
    [{ rule: "epsilon" }, [3 * 2 + 1, -2 * 2 - 4]],
    // f becomes -1.5 where it is divided by, and the hidden 1 and 3 become 1.5 and 3.5: 4 / 3 and -2 are theirs.
    [{ rule: "epsilon", epsilon: 0.5 }, [3 / 1.5 * 4 / 3 + 2 / 3.5, -2 / 1.5 * 4 / 3 - 8 / 3.5]],
    [{ rule: "z+" }, [-1, 0]],
    [{ rule: "composite", first: "flat" }, [1 - 1.5, 1 - 1.5]],
    [{ rule: "composite", first: "w2" }, [1.8 - 0.6, 0.2 - 2.4]],
    // With l = -1 and h = 3: (3 + 3, -2 + 3) of 7, and (-1 + 3, 4 + 2) of 8.
    [{ rule: "composite", first: "z-box", bounds: { low: [-1], high: [3] } }, [12 / 7 - 6 / 8, 2 / 7 - 18 / 8]],
  ] as const;
  for (const [settings, relevance] of expected) {
    assertClose((await lrpOf(backend, byHand, settings)).relevance, relevance, 1e-6, JSON.stringify(settings));
  }
});

Deno.test("pools, means and added numbers have their shares by hand", async () => {
  const backend = await CpuBackend.create();
  const image = [1, 3, 0, 4];
  const pooled = (pool: (call: ForwardCall) => Tensor) => ({
    model: modelOf(
      { head: [1, 1] },
      (call, get) => call.ops.linear(call.ops.reshape(pool(call), [-1, 1]), get("head")),
    ),
    numbers: new Map([["head", Float32Array.of(2)]]),
    input: images(2, 2, 1),
    image,
    target: 0,
  });
  const cases = [
    [({ ops, batch }: ForwardCall) => ops.averagePool2d(batch.image, { size: 2 }), [0.5, 1.5, 0, 2], 0],
    [({ ops, batch }: ForwardCall) => ops.mean(batch.image, { axes: [1, 2] }), [0.5, 1.5, 0, 2], 0],
    [({ ops, batch }: ForwardCall) => ops.maxPool2d(batch.image, { size: 2 }), [0, 0, 0, 8], 0],
    // 2 (mean(x) + 1), and 2 (1 - mean(x)), whose parts are 2 and -2 mean(x).
    [({ ops, batch }: ForwardCall) => ops.offset(ops.mean(batch.image, { axes: [1, 2] }), 1), [0.5, 1.5, 0, 2], 2],
    [({ ops, batch }: ForwardCall) => ops.complement(ops.mean(batch.image, { axes: [1, 2] })), [-0.5, -1.5, 0, -2], 2],
    [({ ops, batch }: ForwardCall) => ops.subtract(ops.mean(batch.image, { axes: [1, 2] }), ops.scalar(3)), [
      0.5,
      1.5,
      0,
      2,
    ], -6],
  ] as const;
  for (const [pool, relevance, bias] of cases) {
    const found = await lrpOf(backend, pooled(pool), {});
    assertClose([...found.relevance, ...found.biases], [...relevance, bias], 1e-6, `${pool}`);
  }
  await backend.close();
});

Deno.test("z+ gives negative inputs what their negative weights speak for", async () => {
  const backend = await CpuBackend.create();
  // h = 2 x1 - x2 - 1 = 4 of x = (1, -3): for it speak 2, 3 and no bias.
  const model = modelOf(
    { filter: [1, 2, 1, 1], bias: [1] },
    ({ ops, batch }, get) => ops.reshape(ops.add(ops.conv2d(batch.image, get("filter")), get("bias")), [-1, 1]),
  );
  const numbers = new Map([["filter", Float32Array.of(2, -1)], ["bias", Float32Array.of(-1)]]);
  const given = { model, numbers, input: images(1, 1, 2), image: [1, -3], target: 0 };
  const positive = await lrpOf(backend, given, { rule: "z+" });
  assertClose(positive.relevance, [4 * 2 / 5, 4 * 3 / 5], 1e-6);
  assertClose(positive.biases, [0], 1e-6);
  const plain = await lrpOf(backend, given, { rule: "epsilon" });
  assertClose([...plain.relevance, ...plain.biases], [2, 3, -1], 1e-6);
  await backend.close();
});

const withBiases = {
  "a ResNet": built("resnet", { depth: 8, width: 4 }, images(9, 7, 1)),
  "a ResNet with padded shortcuts": built("resnet", { depth: 8, width: 4, shortcut: "padded" }, images(12, 9, 3)),
  "a MobileNetV2": built("mobilenet", { version: "v2", width: 0.1 }, images(32, 32, 3)),
  "a stack": built("cnn", {
    layers: [
      { use: "conv", channels: 6, size: 3 },
      { use: "max-pool", size: 2 },
      { use: "conv", channels: 8, size: 3, norm: "none", activation: "gelu" },
      { use: "linear", width: 12, norm: "batch", activation: "silu" },
    ],
  }, images(12, 10, 3)),
};

for (const [name, { model, input, weights }] of Object.entries(withBiases)) {
  Deno.test(`what biases take and the relevances of ${name} add up to the logit`, async () => {
    const backend = await CpuBackend.create({ precision: "float64" });
    const image = pseudoRandom(5, 2 * input.image!.size.reduce((a, b) => a * b), -1.3, 2);
    const { mean, std } = input.image!.normalise;
    const bounds = {
      low: mean.map((own, channel) => -own / std[channel]),
      high: mean.map((own, channel) => (1 - own) / std[channel]),
    };
    const given = { model, numbers: weights, input, image, target: 2 };
    const rules = [{ rule: "epsilon" }, { rule: "composite", first: "z-box", bounds }] as const;
    for (const settings of rules) {
      const { errors, biases, logits } = await lrpOf(backend, given, { ...settings, epsilon: 1e-12 });
      assert.ok(Math.abs(biases[0]) > 0.01, `the biases take ${biases[0]} of ${logits[0]}`);
      // By z+ what a layer has of a residual sum is lost where none of its inputs speaks for it.
      const bound = settings.rule === "composite" && name === "a ResNet" ? 0.01 : 1e-6;
      assert.ok(Math.max(...errors) < bound, `${settings.rule}: off by ${errors}`);
    }
    await backend.close();
  });
}

Deno.test("batch norm behind a layer gives what the layer with its numbers gives", async () => {
  const backend = await CpuBackend.create({ precision: "float64" });
  const image = pseudoRandom(5, 2 * 6 * 6, -1, 2);
  const head = (ops: Parameters<Parameters<typeof modelOf>[1]>[0]["ops"], x: ReturnType<typeof ops.relu>) =>
    ops.mean(x, { axes: [1, 2] });
  const shapes = { filter: [3, 1, 3, 3], weight: [3], bias: [3], mean: [3], variance: [3] };
  const normed = modelOf(shapes, ({ ops, batch }, get) => {
    const options = { runningMean: get("mean"), runningVariance: get("variance"), training: false };
    return head(
      ops,
      ops.batchNorm(ops.conv2d(batch.image, get("filter")), get("weight"), get("bias"), {
        ...options,
        activation: "relu",
      }, ops.full([batch.image.shape[0], 4, 4, 3], 0.3)),
    );
  });
  const plain = modelOf(
    { filter: [3, 1, 3, 3], bias: [3] },
    ({ ops, batch }, get) => head(ops, ops.relu(ops.add(ops.conv2d(batch.image, get("filter")), get("bias")))),
  );
  const numbers = numbersFor(normed);
  numbers.set("weight", Float32Array.of(1.5, -0.7, 0.4)).set("variance", Float32Array.of(0.5, 2, 1));
  const factors = [0, 1, 2].map((at) => numbers.get("weight")![at] / Math.sqrt(numbers.get("variance")![at] + 1e-5));
  const folded = new Map([
    ["filter", numbers.get("filter")!.map((value, at) => value * factors[Math.floor(at / 9)])],
    ["bias", numbers.get("bias")!.map((value, at) => value - numbers.get("mean")![at] * factors[at] + 0.3)],
  ]);
  const common = { input: images(6, 6, 1), image, target: 1 };
  for (const rule of ["epsilon", "z+"] as const) {
    const [one, other] = [
      await lrpOf(backend, { ...common, model: normed, numbers }, { rule }),
      await lrpOf(backend, { ...common, model: plain, numbers: folded }, { rule }),
    ];
    assertClose(one.relevance, other.relevance, 1e-6, rule);
    assertClose(one.biases, other.biases, 1e-6, rule);
  }
  await backend.close();
});

Deno.test("what there is no rule for is refused by its name", () => {
  const refused = (use: string, options: object, input: ReturnType<typeof images>) => () =>
    checkLrp(traceModel(built(use, options, input).model, input));
  const small = { layers: 1, width: 16, heads: 2 };
  assert.throws(refused("bert", small, texts()), /uses the operation layerNorm, which relevance has no rule for here/);
  assert.throws(refused("vit", { ...small, patch: 4 }, images(8, 8, 3)), /uses the operation layerNorm/);
  assert.throws(
    refused("mobilenet", { version: "v3-small", width: 0.2 }, images(32, 32, 3)),
    /the operation hardSigmoid|the operation multiply of values that both follow the input/,
  );
  assert.throws(refused("resnet", { depth: 8, width: 4, subclasses: 2 }, images(9, 7, 1)), /the operation logSoftmax/);
});

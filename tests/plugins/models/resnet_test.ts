import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { stepOf } from "../../support/steps.ts";
import { join } from "node:path";
import { readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { countTrainable } from "../../../core/plugin/parameters.ts";
import { createOps } from "../../../core/ops/ops.ts";
import {
  readSafetensors,
  type TensorToStore,
  toBigInt64,
  toFloat32,
  writeSafetensors,
} from "../../../core/safetensors.ts";
import { showShape, sizeOf } from "../../../core/tensor.ts";
import { crossEntropy } from "../../../plugins/losses/cross_entropy.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { buildLoss, lossCall } from "../../support/losses.ts";
import {
  assertRelative,
  buildNetwork,
  buildResnet,
  fixture,
  type Network,
  networks,
  openNetwork,
} from "./resnet_fixture.ts";

const names = Object.keys(networks) as Network[];

for (const [depth, count, tensors] of [[18, 11_689_512, 122], [34, 21_797_672, 218], [50, 25_557_032, 320]]) {
  Deno.test(`ResNet-${depth} has torchvision's tensors in torchvision's order: ${count} parameters`, async () => {
    const { parameters } = buildResnet({ depth }, [224, 224, 3], 1000);
    const listed = (await Deno.readTextFile(fixture(`torchvision_${depth}.txt`))).trim().split("\n");
    assert.equal(listed.length, tensors);
    assert.deepEqual(
      parameters.map(({ name, shape }) => `${name} ${showShape(shape)}`),
      listed.filter((line) => !line.includes("num_batches_tracked")),
    );
    assert.equal(countTrainable(parameters), count);
  });
}

Deno.test("the CIFAR family has the known numbers of parameters", () => {
  const count = (depth: number, width?: number) =>
    countTrainable(buildResnet({ depth, width }, [28, 28, 1], 10).parameters);
  assert.equal(count(8, 8), 19_810);
  assert.equal(count(20, 8), 68_642);
  assert.equal(count(20, 16), 272_186);
  assert.equal(count(20), 272_186);
});

Deno.test("every convolution and the last weight may be over-parameterised, running statistics are not trained", () => {
  for (const { name, trainable, overParameterisable } of buildResnet({ depth: 50 }, [32, 32, 3], 10).parameters) {
    assert.equal(overParameterisable, /(conv\d|downsample\.0|fc)\.weight$/.test(name), name);
    assert.equal(trainable, !name.includes("running"), name);
  }
});

Deno.test("a depth of neither family is refused with the nearest that can be built", () => {
  for (const [depth, near] of [[9, "8 and 14"], [22, "20 and 26"], [103, "98 and 104"]]) {
    assert.throws(() => buildResnet({ depth }, [28, 28, 1], 10), {
      name: "UserError",
      message: `Cannot build a ResNet of depth ${depth}: expected 18, 34, 50, 101, 152, or 6k + 2 such as ${near}`,
    });
  }
});

/** Runs `body` with a copy of the cifar8 network's file in which `change` changed the tensors. */
async function withChangedFile(
  change: (tensors: Map<string, TensorToStore>) => Map<string, TensorToStore>,
  body: (file: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const { tensors } = await readSafetensors(fixture("cifar8.safetensors"));
    const copies = [...tensors].map(([name, tensor]): [string, TensorToStore] => {
      const data = tensor.dtype === "I64" ? toBigInt64(tensor) : toFloat32(tensor);
      return [name, { shape: tensor.shape, data }];
    });
    await writeSafetensors(join(folder, "w.safetensors"), change(new Map(copies)));
    await body(join(folder, "w.safetensors"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the prefix of data-parallel training and PyTorch's batch counters are no hindrance to loading", () =>
  withChangedFile(
    (tensors) => new Map([...tensors].map(([name, tensor]) => [`module.${name}`, tensor])),
    async (file) => {
      const model = buildNetwork("cifar8");
      const plain = await readModelWeights(fixture("cifar8.safetensors"), model, "teacher");
      assert.deepEqual(await readModelWeights(file, model, "teacher"), plain);
    },
  ));

Deno.test("the weights of a deeper network are refused, though every tensor is among them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "resnet14.safetensors");
    const { parameters } = buildResnet({ depth: 14, width: 4 }, networks.cifar8.image, 5);
    const zeros = parameters.map(({ name, shape }) =>
      [name, { shape, data: new Float32Array(sizeOf(shape)) }] as const
    );
    await writeSafetensors(file, new Map(zeros));
    await assert.rejects(readModelWeights(file, buildNetwork("cifar8"), "teacher"), {
      name: "UserError",
      message: `Cannot load the teacher from "${file}" as it is of another model: 30 of its tensors have no place in ` +
        "this one: layer1.1.bn1.bias, layer1.1.bn1.running_mean, layer1.1.bn1.running_var, layer1.1.bn1.weight and 26 more; its " +
        "weights fit a CIFAR ResNet-14: depth: 14, width: 4",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a missing tensor and one of another shape are named", async () => {
  const model = buildNetwork("cifar8");
  const refused = (file: string, message: RegExp) =>
    assert.rejects(readModelWeights(file, model, "teacher"), { name: "UserError", message });
  await withChangedFile(
    (tensors) => new Map([...tensors].filter(([name]) => name !== "layer2.0.downsample.0.weight")),
    (file) => refused(file, /as it lacks 1 of 47 tensors: layer2\.0\.downsample\.0\.weight$/),
  );
  await withChangedFile(
    (tensors) => tensors.set("fc.weight", { shape: [16, 5], data: new Float32Array(80) }),
    (file) => refused(file, /as shapes differ: fc\.weight is \[16, 5\], expected \[5, 16\]$/),
  );
});

/** The last stage of imagenet50 normalises over four values each, so that PyTorch's own float32 is off by 2e-4. */
const trainingTolerance = (name: Network) => name === "imagenet50" ? 1e-3 : 1e-5;

for (const name of names) {
  testBackends(`${name} gives PyTorch's logits, pooled and layer features with running statistics`, async (backend) => {
    const ops = createOps(backend);
    const { expected, shapeOf, forward } = await openNetwork(name, ops);
    const { logits, pooled, features } = forward(false);
    const layers = [...expected.keys()].filter((key) => key.startsWith("eval.features."));
    assert.deepEqual(Object.keys(features).map((layer) => `eval.features.${layer}`).sort(), layers.sort());
    const got = {
      logits,
      pooled,
      ...Object.fromEntries(Object.entries(features).map(([k, v]) => [`features.${k}`, v])),
    };
    for (const [key, tensor] of Object.entries(got)) {
      assert.deepEqual(tensor.shape, shapeOf(`eval.${key}`), key);
      assertRelative(await tensor.read(), expected.get(`eval.${key}`)!, 1e-5, key);
    }
  });

  testBackends(`${name} gives PyTorch's logits and new running statistics with batch statistics`, async (backend) => {
    const ops = createOps(backend);
    const { expected, student, forward } = await openNetwork(name, ops);
    const { logits, pooled } = forward(true);
    const statistics = await student.untrained.read();
    assert.ok(statistics.size > 0);
    const tolerance = backend.precision === "float64" ? 1e-6 : trainingTolerance(name);
    assertRelative(await logits.read(), expected.get("train.logits")!, tolerance, "logits");
    assertRelative(await pooled.read(), expected.get("train.pooled")!, tolerance, "pooled");
    for (const [key, values] of statistics) {
      assertRelative(values, expected.get(`train.statistics.${key}`)!, tolerance, key);
    }
  }, [float64, ...backends]);
}

for (const network of ["cifar8", "padded8"] as const) {
  testBackends(`the gradient of cross-entropy by every parameter is PyTorch's in ${network}`, async (backend) => {
    const ops = createOps(backend);
    const { student, expected, batch, forward } = await openNetwork(network, ops);
    const outputs = forward(true);
    const loss = await buildLoss(ops, crossEntropy, {}, { student: outputs, teacher: outputs });
    const { gradients } = ops.differentiate(
      () => {
        const outputs = forward(true);
        return loss.compute({ ...lossCall(ops, outputs, outputs), batch });
      },
      [...student.plain.tensors.values()],
    );
    const parameters = [...student.plain.tensors.keys()];
    assert.equal(parameters.length, [...expected.keys()].filter((key) => key.startsWith("gradient.")).length);
    for (const [index, name] of parameters.entries()) {
      assertRelative(await gradients[index]!.read(), expected.get(`gradient.${name}`)!, 1e-4, name);
    }
  });
}

testBackends("three training steps of SGD give PyTorch's losses", async (backend) => {
  const ops = createOps(backend);
  const { student, expected, hostBatch, forward } = await openNetwork("cifar8", ops);
  const outputs = forward(false);
  const loss = await buildLoss(ops, crossEntropy, {}, { student: outputs, teacher: outputs });
  const step = stepOf(ops, {
    student,
    losses: [{ name: "cross-entropy", weight: 1, loss }],
    train: {
      optimiser: { use: "sgd", learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4 },
      schedule: { use: "constant" },
    },
  });
  const totals = [0, 1, 2, 3].map((index) =>
    step.run([hostBatch], { step: index, totalSteps: 4, stepsPerEpoch: 4 }, false).total
  );
  assertRelative((await ops.read(totals)).map(([total]) => total), expected.get("losses")!, 1e-5, "losses");
});

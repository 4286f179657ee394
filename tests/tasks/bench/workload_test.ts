import assert from "node:assert/strict";
import { operations } from "../../../tasks/bench/flops.ts";
import { type Operations, resnet8 } from "../../../tasks/bench/resnet8.ts";
import { uniform } from "../../../tasks/bench/uniform.ts";
import { expectedLosses, makeInputs } from "../../../tasks/bench/workload.ts";

Deno.test("the numbers are those of the same hash in another language", () => {
  // Computed with Python's integers of any size; pytorch.py must make the same.
  const known: [number, number[]][] = [
    [1, [0.1467951601371169, 0.1767875454388559, 0.4082674658857286]],
    [7, [-0.056759410072118044, 0.9447353640571237, -0.05637561064213514]],
  ];
  for (const [seed, values] of known) assert.deepEqual(uniform(seed, 3), Float32Array.from(values));
});

Deno.test("the numbers are spread evenly within their bound", () => {
  const values = uniform(5, 100_000, 3);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
  assert.ok(values.every((v) => Math.abs(v) <= 3));
  assert.ok(Math.abs(mean) < 0.03, `mean ${mean}`);
  assert.ok(Math.abs(variance - 3) < 0.06, `variance ${variance}`); // of a uniform distribution: 3^2 / 3
});

Deno.test("ResNet-8 has PyTorch's parameters in PyTorch's order", () => {
  const { parameters } = makeInputs.resnet8();
  // The count and the names are what PyTorch says of the model in pytorch.py.
  assert.equal(parameters.reduce((sum, { values }) => sum + values.length, 0), 77_754);
  assert.deepEqual(parameters.slice(9, 18).map(({ name }) => name), [
    "layer2.0.conv1.weight",
    "layer2.0.bn1.weight",
    "layer2.0.bn1.bias",
    "layer2.0.conv2.weight",
    "layer2.0.bn2.weight",
    "layer2.0.bn2.bias",
    "layer2.0.downsample.0.weight",
    "layer2.0.downsample.1.weight",
    "layer2.0.downsample.1.bias",
  ]);
});

Deno.test("a training step counts the operations of what resnet8 calls, backward twice the forward", () => {
  // Shapes followed through the network by the usual formula of a padded convolution.
  interface Shape {
    side: number;
    channels: number;
  }
  let forward = 0, stem = 0;
  const ops: Operations<Shape> = {
    convolve({ side, channels }, { name, inputs, outputs, kernel, stride }) {
      assert.equal(channels, inputs, name);
      const size = Math.floor((side + 2 * ((kernel - 1) / 2) - kernel) / stride) + 1;
      const count = 2 * 32 * size * size * outputs * inputs * kernel * kernel;
      stem ||= count;
      forward += count;
      return { side: size, channels: outputs };
    },
    normalise: (x) => x,
    relu: (x) => x,
    add(x, y) {
      assert.deepEqual(x, y);
      return x;
    },
    pool: ({ channels }) => ({ side: 1, channels }),
    classify({ channels }) {
      forward += 2 * 32 * 10 * channels;
      return { side: 1, channels: 10 };
    },
    share: (x) => x,
  };
  assert.deepEqual(resnet8(ops, { side: 28, channels: 1 }), { side: 1, channels: 10 });
  assert.equal(operations("resnet8"), 3 * forward - stem);
});

Deno.test("the network of the benchmark knows nothing at first, and learns", () => {
  assert.ok(Math.abs(expectedLosses[0] - Math.log(10)) < 0.1);
  assert.ok(expectedLosses[1] < expectedLosses[0] && expectedLosses[2] < expectedLosses[1]);
});

import assert from "node:assert/strict";
import type { BatchNormOptions } from "../../../core/ops/batch_norm.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { ConvOptions } from "../../../core/ops/window.ts";
import { sizeOf, type Tensor } from "../../../core/tensor.ts";
import { cpu, float64, testBackends, webgpu } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

interface Case {
  readonly x: readonly number[];
  readonly filter: readonly number[];
  readonly convolution: ConvOptions;
  readonly activation?: "relu" | "relu6";
  readonly residual?: boolean;
}

/** Odd extents beside fours, tiles that end within an image, strides, and what no pass does both of. */
const CASES: Readonly<Record<string, Case>> = {
  plain: { x: [2, 5, 4, 3], filter: [5, 3, 3, 3], convolution: { padding: 1 } },
  "relu and a residual": {
    ...{ x: [3, 7, 6, 5], filter: [7, 5, 3, 3], convolution: { padding: 1 }, activation: "relu", residual: true },
  },
  "vectors, relu6, a stride": {
    ...{ x: [2, 9, 7, 4], filter: [8, 4, 3, 3], convolution: { stride: 2, padding: 1 }, activation: "relu6" },
    residual: true,
  },
  "one tap": { x: [5, 3, 3, 6], filter: [4, 6, 1, 1], convolution: { stride: 2 }, activation: "relu" },
  // Winograd's algorithm on the cpu: rows of tiles that end beyond the image, several images to a group and one.
  "tiles of 4 x 4": {
    ...{ x: [5, 7, 7, 16], filter: [24, 16, 3, 3], convolution: { padding: 1 }, activation: "relu", residual: true },
  },
  "many tiles": {
    ...{ x: [2, 29, 30, 16], filter: [16, 16, 3, 3], convolution: { padding: 1 }, activation: "relu6", residual: true },
  },
  depthwise: { x: [2, 5, 5, 6], filter: [6, 1, 3, 3], convolution: { padding: 1, groups: 6 }, activation: "relu6" },
  dilated: { x: [1, 7, 7, 2], filter: [3, 2, 3, 3], convolution: { padding: 2, dilation: 2 }, residual: true },
};

/** The operation's arguments for a case. */
function argumentsOf(ops: Ops, { x, filter, convolution, activation, residual }: Case) {
  const [, outputs] = [x, filter[0]];
  const random = (seed: number, shape: readonly number[], low = -1, high = 1) =>
    ops.tensor(pseudoRandom(seed, sizeOf(shape), low, high), shape);
  const [images, filters] = [random(1, x), random(2, filter)];
  const norm: BatchNormOptions = {
    ...{ training: false, activation, epsilon: 0.03 },
    ...{ runningMean: random(3, [outputs]), runningVariance: random(4, [outputs], 0.2, 2) },
  };
  const added = residual ? random(7, ops.conv2d(images, filters, convolution).shape) : undefined;
  return [images, filters, convolution, random(5, [outputs]), random(6, [outputs]), norm, added] as const;
}

const apart = (ops: Ops, [x, filter, convolution, ...norm]: ReturnType<typeof argumentsOf>): Tensor =>
  ops.batchNorm(ops.conv2d(x, filter, convolution), ...norm);

for (const [name, shapes] of Object.entries(CASES)) {
  testBackends(`a convolution with batch norm, ${name}: as one after the other, and as in float64`, async (backend) => {
    const reference = await float64.open(), exact = createOps(reference);
    const [expected] = await exact.read([exact.convBatchNorm(...argumentsOf(exact, shapes))]);
    const ops = createOps(backend), given = argumentsOf(ops, shapes);
    const [together, separate] = await ops.read([ops.convBatchNorm(...given), apart(ops, given)]);
    assertClose(together, expected, 2e-5, "in one pass");
    assertClose(together, separate, 2e-5, "beside two passes");
    await reference.close();
  }, [cpu, webgpu]);
}

testBackends(
  "a convolution with batch norm has the gradients of both, and statistics of a batch in training",
  async (backend) => {
    const ops = createOps(backend);
    const given = argumentsOf(ops, CASES["relu and a residual"]);
    const [x, filter, , weight, bias] = given;
    const targets = [x, filter, weight, bias, given[6]!];
    const [one, two] = [() => ops.convBatchNorm(...given), () => apart(ops, given)].map((forward) =>
      ops.differentiate(() => ops.sum(ops.square(forward())), targets).gradients
    );
    for (const [index, gradient] of one.entries()) {
      assertClose(await gradient!.read(), await two[index]!.read(), 1e-6, `gradient ${index}`);
    }
    const [images, filters, convolution, w, b, norm] = given;
    const training = { ...norm, training: true };
    const [trained] = await ops.read([ops.convBatchNorm(images, filters, convolution, w, b, training)]);
    const [expected] = await ops.read([
      ops.batchNorm(ops.conv2d(images, filters, convolution), w, b, { ...norm, training: true }),
    ]);
    assertClose(trained, expected, 1e-6, "with the batch's own statistics");
  },
  [cpu, webgpu],
);

testBackends("a convolution with batch norm refuses what does not fit", async (backend) => {
  const ops = createOps(backend);
  const [x, filter, convolution, weight, bias, norm] = argumentsOf(ops, CASES.plain);
  const call = (residual?: Tensor, scale = weight) => () =>
    ops.convBatchNorm(x, filter, convolution, scale, bias, norm, residual);
  assert.throws(call(ops.full([2, 5, 4, 3], 1)), /add a residual of shape \[2, 5, 4, 3\]/);
  assert.throws(call(undefined, ops.full([3], 1)), /statistics of shape \[3\]: expected \[5\]/);
  await ops.full([1], 0).read();
}, [cpu]);

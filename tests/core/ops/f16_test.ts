import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import { halves, testBackends } from "../../support/backends.ts";
import { checkOnF16 } from "../../support/f16_cases.ts";
import { cases } from "./cases.ts";

/** Operations whose results are float32 whatever they are of: losses, sums, and scores. */
const SINGLE = [
  "sum",
  "meanSquaredDifference",
  "weightedSquaredDifferences",
  "mean",
  "crossEntropy",
  "klDivergence",
  "jensenShannonDivergence",
  "pick",
  "pickWithRest",
  "crfLogPartition",
  "crfLogMarginals",
  "crfScore",
  // Losses that differentiate twice compute in float32.
  "geluTangent",
];

// The campaign "float16" has all cases, on both kinds of adapters; compiling their shaders takes long.
testBackends("an operation on float16 gives what it gives on float32, within rounding", async (backend) => {
  const ops = createOps(backend);
  const single: string[] = [];
  for (const [name, [first]] of Object.entries(cases)) {
    if (await checkOnF16(ops, first, name) === "f32") single.push(name);
  }
  assert.deepEqual(single.toSorted(), SINGLE.toSorted());
  assert.equal(backend.memory().storages, 0);
}, [halves[0]]);

testBackends("products, sums and norms of hardware take float16, too", async (backend) => {
  const ops = createOps(backend);
  for (const name of ["matmul", "linear", "conv2d", "softmax", "layerNorm", "batchNorm"] as const) {
    await checkOnF16(ops, cases[name][0], name);
  }
}, [halves[1]]);

testBackends("what is not an activation stays float32", async (backend) => {
  const ops = createOps(backend);
  ops.scope(() => {
    const [weight, x] = [ops.full([4, 4], 1), ops.device.inFormat(ops.full([2, 4], 1), "f16")];
    const formats = (inside: "f32" | "f16") =>
      ops.device.storeActivations(inside, () => [
        ops.matmul(weight, weight).format,
        ops.linear(x, weight).format,
        ops.reshape(x, [8]).format,
        ops.embedding(weight, ops.tensor([1, 2])).format,
        ops.sum(x).format,
      ]);
    assert.deepEqual(formats("f16"), ["f32", "f16", "f16", "f16", "f32"]);
    assert.deepEqual(formats("f32"), ["f32", "f32", "f16", "f32", "f32"], "losses compute in float32");
    const { gradients } = ops.differentiate(
      () => ops.sum(ops.device.storeActivations("f16", () => ops.linear(ops.relu(x), weight))),
      [x, weight],
    );
    assert.deepEqual(gradients.map((gradient) => gradient!.format), ["f16", "f32"]);
  });
  await Promise.resolve();
}, [halves[0]]);

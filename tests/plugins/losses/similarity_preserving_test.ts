import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { similarityPreserving } from "../../../plugins/losses/similarity_preserving.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { moved } from "../../support/rotation.ts";

const one = { pairs: [{ student: "a", teacher: "b" }] };
const features = (name: string, x: Tensor) => outputs(x, { features: { [name]: x } });
const against = (data: ArrayLike<number>, shape: number[]) => (ops: Ops, x: Tensor) => ({
  student: features("a", x),
  teacher: features("b", ops.tensor(data, shape)),
});

testBackends("similarity-preserving gives the golden value for layers of unequal width", async (backend) => {
  const ops = createOps(backend);
  const models = against(gen([4, 6], 4), [4, 6])(ops, ops.tensor(gen([4, 5], 3), [4, 5]));
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  assertClose([await lossValue(ops, similarityPreserving, one, models)], [golden.sp], tolerance);
}, [float64, ...backends]);

testBackends("similarity-preserving is zero under rotation, under scale, and for equal layers", async (backend) => {
  const ops = createOps(backend);
  const data = gen([4, 5], 3);
  const tolerance = backend.precision === "float64" ? 1e-20 : 1e-10;
  for (const other of [data, moved(data, 5), moved(data, 5, { scale: 3 })]) {
    const models = against(data, [4, 5])(ops, ops.tensor(other, [4, 5]));
    assertClose([await lossValue(ops, similarityPreserving, one, models)], [0], tolerance);
  }
  const shifted = against(data, [4, 5])(ops, ops.tensor(moved(data, 5, { shift: 1 }), [4, 5]));
  assert.ok(await lossValue(ops, similarityPreserving, one, shifted) > 1e-3, "moving the features does matter");
}, [float64, ...backends]);

testBackends(
  "similarity-preserving takes images of unequal size and channels, and sums over pairs",
  async (backend) => {
    const ops = createOps(backend);
    const images = (name: string, shape: number[]) => features(name, ops.tensor(gen(shape, shape[1]), shape));
    const models = { student: images("a", [3, 2, 2, 5]), teacher: images("b", [3, 4, 4, 2]) };
    const value = await lossValue(ops, similarityPreserving, one, models);
    assert.ok(value > 0);
    const twice = await lossValue(ops, similarityPreserving, { pairs: [one.pairs[0], one.pairs[0]] }, models);
    assertClose([twice], [2 * value], 1e-6);
  },
  [float64, ...backends],
);

testBackends("similarity-preserving: the gradient agrees with finite differences", async (backend) => {
  await assertLossGradient(backend, similarityPreserving, one, [4, 5], gen([4, 5], 3), against(gen([4, 6], 4), [4, 6]));
}, [float64]);

testBackends("an example whose features are all zero has no gradient and gives no NaN", async (backend) => {
  const data = gen([4, 5], 3).fill(0, 0, 5);
  const modelsOf = against(gen([4, 6], 4), [4, 6]);
  const gradient = await lossGradient(backend, similarityPreserving, one, [4, 5], data, modelsOf);
  assert.ok(gradient.every((x) => Math.abs(x) < 1e3), `${gradient}`);
}, [float64, ...backends]);

testBackends("similarity-preserving refuses layers that are not there", async (backend) => {
  const ops = createOps(backend);
  const models = against([1], [1, 1])(ops, ops.tensor([1], [1, 1]));
  await assert.rejects(lossValue(ops, similarityPreserving, { pairs: [{ student: "a", teacher: 2 }] }, models), {
    message: `Cannot compare layer "2" of the teacher: it has 0 hidden states`,
  });
}, [float64]);

Deno.test("similarity-preserving refuses an empty list of pairs", () => {
  assertRefusal(
    similarityPreserving,
    "pairs: []",
    "recipe.yaml:1:8: Expected a list of at least 1 entry for pairs: got an empty list",
  );
});

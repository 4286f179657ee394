import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { dist } from "../../../plugins/losses/dist.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import {
  assertLossGradient,
  assertRefusal,
  logitModels,
  lossGradient,
  lossValue,
  setupOf,
} from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const teacher = gen([4, 3], 1).map((value) => 2 * value);
const student = gen([4, 3], 2).map((value) => 2 * value);
const modelsAgainst = (data: ArrayLike<number>, shape: number[]) => (ops: Ops, logits: Tensor) => ({
  student: outputs(logits),
  teacher: outputs(ops.tensor(data, shape)),
});

testBackends("dist gives the golden values between and within classes and of their sum", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const value = (options: Record<string, unknown>) =>
    lossValue(ops, dist, options, logitModels(ops, student, teacher, 3));
  assertClose([await value({ gamma: 0 })], [golden.dist_inter], tolerance, "inter-class, beta 1 by default");
  assertClose([await value({ beta: 0 })], [golden.dist_intra], tolerance, "intra-class, gamma 1 by default");
  assertClose([await value({ beta: 2, gamma: 2 })], [golden.dist_total_b2_g2], tolerance, "2 and 2");
}, [float64, ...backends]);

testBackends("dist with temperature tau is tau^2 times dist of logits over tau", async (backend) => {
  const ops = createOps(backend);
  const over4 = (x: Float64Array) => x.map((value) => value / 4);
  const softened = await lossValue(ops, dist, {}, logitModels(ops, over4(student), over4(teacher), 3));
  const value = await lossValue(ops, dist, { tau: 4 }, logitModels(ops, student, teacher, 3));
  assertClose([value], [16 * softened], 1e-12);
}, [float64]);

testBackends("dist is zero for equal logits", async (backend) => {
  const ops = createOps(backend);
  assertClose([await lossValue(ops, dist, {}, logitModels(ops, teacher, teacher, 3))], [0], 1e-6);
}, [float64, ...backends]);

testBackends("dist: the gradient agrees with finite differences", async (backend) => {
  await assertLossGradient(backend, dist, { tau: 2 }, [4, 3], student, modelsAgainst(teacher, [4, 3]));
}, [float64]);

testBackends(
  "with two classes dist's relation between classes has no gradient, and a line says so",
  async (backend) => {
    const { setup, lines } = setupOf(2);
    const [two, other] = [gen([5, 2], 3), gen([5, 2], 4)];
    const gradientOf = (options: Record<string, unknown>) =>
      lossGradient(backend, dist, options, [5, 2], two, modelsAgainst(other, [5, 2]), { setup });
    assertClose(await gradientOf({ gamma: 0 }), new Float64Array(10), 1e-12);
    assert.ok(Math.hypot(...await gradientOf({ beta: 0 })) > 1e-2, "within classes there is one");
    assert.equal(
      lines[0],
      "dist: with two classes the relation between classes has no gradient; only gamma's part teaches",
    );
  },
  [float64],
);

testBackends("dist has a small gradient where outputs do not vary: equal logits, a batch of one", async (backend) => {
  const flat = await lossGradient(backend, dist, {}, [4, 3], new Float64Array(12), modelsAgainst(teacher, [4, 3]));
  assert.ok(flat.every((x) => Math.abs(x) < 1e3), `equal logits: ${flat}`);
  const noise = student.map((x) => 1e-7 * x);
  const rounding = await lossGradient(backend, dist, {}, [4, 3], noise, modelsAgainst(teacher, [4, 3]));
  assert.ok(rounding.every((x) => Math.abs(x) < 1e3), `logits equal but for rounding: ${rounding}`);
  const [row, other] = [student.slice(0, 3), teacher.slice(0, 3)];
  const one = await lossGradient(backend, dist, { beta: 0 }, [1, 3], row, modelsAgainst(other, [1, 3]));
  assert.deepEqual([...one].map(Math.abs), [0, 0, 0]);
}, [float64, ...backends]);

Deno.test("dist refuses negative weights and a temperature of zero", () => {
  assertRefusal(
    dist,
    "beta: -1",
    "recipe.yaml:1:7: Expected a number >= 0 and <= 1000000000 or a map with from and to for beta: got -1",
  );
  assertRefusal(
    dist,
    "gamma: -1",
    "recipe.yaml:1:8: Expected a number >= 0 and <= 1000000000 or a map with from and to for gamma: got -1",
  );
  assertRefusal(
    dist,
    "tau: 0",
    "recipe.yaml:1:6: Expected a number >= 0.001 and <= 10000 or a map with from and to for tau: got 0",
  );
});

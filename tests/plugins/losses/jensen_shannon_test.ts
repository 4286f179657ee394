import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { jensenShannon } from "../../../plugins/losses/jensen_shannon.ts";
import { gen } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, logitModels, lossGradient, lossValue } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const teacher = gen([4, 3], 1).map((value) => 2 * value);
const student = gen([4, 3], 2).map((value) => 2 * value);

/** (KL(p || m) + KL(q || m)) / 2 over rows of three logits, by its definition. */
function byDefinition(a: Float64Array, b: Float64Array, temperature: number): number {
  const softmax = (z: Float64Array) => {
    const powers = z.map((x) => Math.exp(x / temperature));
    return powers.map((x) => x / powers.reduce((sum, power) => sum + power));
  };
  let sum = 0;
  for (let row = 0; row < a.length; row += 3) {
    const [p, q] = [a, b].map((z) => softmax(z.slice(row, row + 3)));
    p.forEach((x, c) => {
      const m = (x + q[c]) / 2;
      sum += (x * Math.log(x / m) + q[c] * Math.log(q[c] / m)) / 2;
    });
  }
  return temperature ** 2 * sum / (a.length / 3);
}

testBackends("jensen-shannon is the mean divergence from the mixture, times T^2", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  for (const temperature of [1, 4]) {
    const value = await lossValue(ops, jensenShannon, { temperature }, logitModels(ops, student, teacher, 3));
    assertClose([value], [byDefinition(student, teacher, temperature)], tolerance, `T = ${temperature}`);
  }
  const byDefault = await lossValue(ops, jensenShannon, {}, logitModels(ops, student, teacher, 3));
  assertClose([byDefault], [byDefinition(student, teacher, 1)], tolerance, "T = 1 by default");
}, [float64, ...backends]);

testBackends("jensen-shannon is symmetric, and zero for equal logits", async (backend) => {
  const ops = createOps(backend);
  const value = (s: Float64Array, t: Float64Array) => lossValue(ops, jensenShannon, {}, logitModels(ops, s, t, 3));
  assertClose([await value(student, teacher)], [await value(teacher, student)], 1e-6);
  assertClose([await value(teacher, teacher)], [0], 1e-6);
}, [float64, ...backends]);

testBackends(
  "jensen-shannon is log 2, with a finite gradient, where the models exclude each other",
  async (backend) => {
    const ops = createOps(backend);
    const [s, t] = [[900, 0, 0], [0, 900, -900]];
    assertClose([await lossValue(ops, jensenShannon, {}, logitModels(ops, s, t, 3))], [Math.LN2], 1e-6);
    const modelsOf = (ops: Ops, logits: Tensor) => ({
      student: outputs(logits),
      teacher: outputs(ops.tensor(t, [1, 3])),
    });
    const gradient = await lossGradient(backend, jensenShannon, {}, [1, 3], s, modelsOf);
    assert.ok(gradient.every(Number.isFinite), `${gradient}`);
  },
  [float64, ...backends],
);

testBackends("jensen-shannon: the gradient agrees with finite differences", async (backend) => {
  const modelsOf = (ops: Ops, logits: Tensor) => ({
    student: outputs(logits),
    teacher: outputs(ops.tensor(teacher, [4, 3])),
  });
  await assertLossGradient(backend, jensenShannon, { temperature: 2 }, [4, 3], student, modelsOf);
}, [float64]);

Deno.test("jensen-shannon refuses a temperature of zero", () => {
  assertRefusal(
    jensenShannon,
    "temperature: 0",
    "recipe.yaml:1:14: Expected a number >= 0.001 and <= 10000 or a map with from and to for temperature: got 0",
  );
});

import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { dkd } from "../../../plugins/losses/dkd.ts";
import { kd } from "../../../plugins/losses/kd.ts";
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
const labels = [0, 1, 2, 1];

testBackends("dkd gives the golden values of both parts and of their sum", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const value = (options: Record<string, unknown>) =>
    lossValue(ops, dkd, options, logitModels(ops, student, teacher, 3), { labels });
  assertClose([await value({ alpha: 1, beta: 0 })], [golden.dkd_tckd_T4], tolerance, "TCKD");
  assertClose([await value({ alpha: 0, beta: 1 })], [golden.dkd_nckd_T4], tolerance, "NCKD");
  assertClose([await value({})], [golden.dkd_a1_b8], tolerance, "alpha 1, beta 8, T 4 by default");
}, [float64, ...backends]);

testBackends("KD is TCKD plus NCKD weighted with what the teacher leaves to other classes", async (backend) => {
  const ops = createOps(backend);
  const temperature = 3;
  for (const [row, label] of labels.entries()) {
    const part = (x: Float64Array) => x.slice(3 * row, 3 * row + 3);
    const models = () => logitModels(ops, part(student), part(teacher), 3);
    const of = (alpha: number, beta: number) =>
      lossValue(ops, dkd, { alpha, beta, temperature }, models(), { labels: [label] });
    const powers = part(teacher).map((z) => Math.exp(z / temperature));
    const rest = 1 - powers[label] / powers.reduce((sum, x) => sum + x);
    const sum = await of(1, 0) + rest * await of(0, 1);
    assertClose([sum], [await lossValue(ops, kd, { temperature }, models())], 1e-12, `row ${row}`);
  }
}, [float64]);

testBackends("with two classes NCKD is zero, TCKD is KD, and a line says so", async (backend) => {
  const ops = createOps(backend);
  const { setup, lines } = setupOf(2);
  const models = logitModels(ops, gen([6, 2], 3), gen([6, 2], 4), 2);
  const of = (alpha: number, beta: number) =>
    lossValue(ops, dkd, { alpha, beta }, models, { labels: [0, 1, 1, 0, 1, 0], setup });
  assertClose([await of(0, 8)], [0], 1e-12);
  assertClose([await of(1, 8)], [await lossValue(ops, kd, {}, models)], 1e-12);
  assert.equal(lines[0], "dkd: with two classes the part weighted by beta is zero");
}, [float64]);

testBackends("dkd says nothing with three classes and is zero for equal logits", async (backend) => {
  const ops = createOps(backend);
  const { setup, lines } = setupOf(3);
  const models = logitModels(ops, teacher, teacher, 3);
  assertClose([await lossValue(ops, dkd, {}, models, { labels, setup })], [0], 1e-6);
  assert.deepEqual(lines, []);
}, [float64, ...backends]);

// Logits whose spread is beyond the published mask of -1000, and a label that has all of the probability in float32.
const wideTeacher = [3000, 0, -3000, 100, 101, 103];
const wideStudent = [2000, 1, 2, 400, 2, -1];

testBackends("dkd stays exact for logits thousands apart", async (backend) => {
  const ops = createOps(backend);
  const models = logitModels(ops, wideStudent, wideTeacher, 3);
  const value = (options: Record<string, unknown>) =>
    lossValue(ops, dkd, { temperature: 1, ...options }, models, { labels: [0, 0] });
  // Row 0: teacher and student are sure of the label. Row 1: of the teacher's, 1 / (1 + e + e^3) is the label's, and
  // the student gives the others e^-398 (1 + e^-3).
  const [a, b, c] = [1, Math.E, Math.exp(3)];
  const p = a / (a + b + c);
  const others = Math.log(Math.exp(2) + Math.exp(-1)) - 400;
  const tckd = (p * Math.log(p) + (1 - p) * (Math.log(1 - p) - others)) / 2;
  const kl = (p: number[], q: number[]) => p.reduce((sum, x, i) => sum + (x > 0 ? x * Math.log(x / q[i]) : 0), 0);
  const nckd = (kl([1, 0], [1 / (1 + b), b / (1 + b)]) + kl([b / (b + c), c / (b + c)], [c / (c + 1), 1 / (c + 1)])) /
    2;
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  assertClose([await value({ alpha: 1, beta: 0 })], [tckd], tolerance, "TCKD");
  assertClose([await value({ alpha: 0, beta: 1 })], [nckd], tolerance, "NCKD");
  const modelsOf = (ops: Ops, logits: Tensor) => ({
    student: outputs(logits),
    teacher: outputs(ops.tensor(wideTeacher, [2, 3])),
  });
  const variation = { labels: [0, 0] };
  const gradient = await lossGradient(backend, dkd, { temperature: 1 }, [2, 3], wideStudent, modelsOf, variation);
  assert.ok(gradient.every(Number.isFinite), `the gradient is finite: ${gradient}`);
}, [float64, ...backends]);

testBackends("dkd: the gradient agrees with finite differences", async (backend) => {
  const modelsOf = (ops: Ops, logits: Tensor) => ({
    student: outputs(logits),
    teacher: outputs(ops.tensor(teacher, [4, 3])),
  });
  await assertLossGradient(backend, dkd, { alpha: 1.5, beta: 3 }, [4, 3], student, modelsOf, { labels });
}, [float64]);

testBackends("dkd's numbers follow their schedules", async (backend) => {
  const ops = createOps(backend);
  const options = { alpha: { from: 1, to: 0 }, beta: { from: 8, to: 0 }, temperature: { from: 4, to: 1 } };
  const value = await lossValue(ops, dkd, options, logitModels(ops, student, teacher, 3), { labels });
  assertClose([value], [golden.dkd_a1_b8], 1e-12);
}, [float64]);

Deno.test("dkd refuses negative weights, a temperature of zero and unknown options", () => {
  assertRefusal(
    dkd,
    "alpha: -1",
    "recipe.yaml:1:8: Expected a number >= 0 and <= 1000000000 or a map with from and to for alpha: got -1",
  );
  assertRefusal(
    dkd,
    "beta: -1",
    "recipe.yaml:1:7: Expected a number >= 0 and <= 1000000000 or a map with from and to for beta: got -1",
  );
  assertRefusal(
    dkd,
    "temperature: 0",
    "recipe.yaml:1:14: Expected a number >= 0.001 and <= 10000 or a map with from and to for temperature: got 0",
  );
  assertRefusal(
    dkd,
    "temprature: 4",
    `recipe.yaml:1:1: Unknown key "temprature" at the top level: did you mean "temperature"?`,
  );
});

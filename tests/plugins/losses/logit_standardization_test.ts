import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { logitStandardization } from "../../../plugins/losses/logit_standardization.ts";
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
const expected = 4 * golden.lskd_kl_T2_noT2;
const modelsAgainst = (data: ArrayLike<number>, shape: number[]) => (ops: Ops, logits: Tensor) => ({
  student: outputs(logits),
  teacher: outputs(ops.tensor(data, shape)),
});

testBackends("logit-standardization gives T^2 times the golden divergence, T = 2 by default", async (backend) => {
  const ops = createOps(backend);
  const value = await lossValue(ops, logitStandardization, {}, logitModels(ops, student, teacher, 3));
  assertClose([value], [expected], backend.precision === "float64" ? 1e-9 : 1e-5);
}, [float64, ...backends]);

testBackends("scaling and moving a row of logits changes nothing, in teacher and student", async (backend) => {
  const ops = createOps(backend);
  const moved = (x: Float64Array) => x.map((z, i) => (2 + Math.floor(i / 3)) * z - 5 * Math.floor(i / 3));
  const value = async (
    s: Float64Array,
    t: Float64Array,
  ) => [await lossValue(ops, logitStandardization, {}, logitModels(ops, s, t, 3))];
  assertClose(await value(student, moved(teacher)), [expected], 1e-6);
  assertClose(await value(moved(student), teacher), [expected], 1e-6);
  assertClose(await value(moved(teacher), teacher), [0], 1e-12);
}, [float64]);

testBackends("logit-standardization is zero for equal logits", async (backend) => {
  const ops = createOps(backend);
  assertClose([await lossValue(ops, logitStandardization, {}, logitModels(ops, teacher, teacher, 3))], [0], 1e-6);
}, [float64, ...backends]);

testBackends("logit-standardization: the gradient agrees with finite differences", async (backend) => {
  const against = modelsAgainst(teacher, [4, 3]);
  await assertLossGradient(backend, logitStandardization, { temperature: 3 }, [4, 3], student, against);
}, [float64]);

testBackends("with two classes logit-standardization has no gradient, and a line says so", async (backend) => {
  const { setup, lines } = setupOf(2);
  const against = modelsAgainst(gen([5, 2], 4), [5, 2]);
  const gradient = await lossGradient(backend, logitStandardization, {}, [5, 2], gen([5, 2], 3), against, { setup });
  assertClose(gradient, new Float64Array(10), 1e-5);
  assert.deepEqual(lines, [
    "logit-standardization: with two classes it has no gradient, as two standardised logits never change",
  ]);
}, [float64]);

testBackends("a row of equal logits is standardised to zeros and has no gradient", async (backend) => {
  const ops = createOps(backend);
  const flat = new Float64Array(3).fill(0.5);
  const row = teacher.slice(0, 3);
  const gradient = await lossGradient(backend, logitStandardization, {}, [1, 3], flat, modelsAgainst(row, [1, 3]));
  assert.deepEqual([...gradient].map(Math.abs), [0, 0, 0]);
  const value = await lossValue(ops, logitStandardization, {}, logitModels(ops, flat, flat, 3));
  assertClose([value], [0], 1e-6);
}, [float64, ...backends]);

Deno.test("logit-standardization refuses a temperature of zero", () => {
  assertRefusal(
    logitStandardization,
    "temperature: 0",
    "recipe.yaml:1:14: Expected a number >= 0.001 and <= 10000 or a map with from and to for temperature: got 0",
  );
});

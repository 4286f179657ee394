import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { patient } from "../../../plugins/losses/patient.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const one = { pairs: [{ student: 0, teacher: 0 }] };
const hidden = (x: Tensor) => outputs(x, { hidden: [x] });
const student = gen([6, 5], 7);
const teacher = gen([6, 5], 17);
const against = (data: ArrayLike<number>, shape: number[]) => (ops: Ops, x: Tensor) => ({
  student: hidden(x),
  teacher: hidden(ops.tensor(data, shape)),
});
const against5 = against(teacher, [6, 5]);

/** Each row as the first of three tokens, the others any numbers. */
function asFirstToken(rows: Float64Array, seed: number): Float64Array {
  const tokens = gen([6, 3, 5], seed);
  for (let row = 0; row < 6; row++) tokens.set(rows.subarray(5 * row, 5 * row + 5), 15 * row);
  return tokens;
}

testBackends("patient gives the golden value, for vectors and for first tokens", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const vectors = against5(ops, ops.tensor(student, [6, 5]));
  assertClose([await lossValue(ops, patient, one, vectors)], [golden.pkd], tolerance, "vectors");
  const tokens = against(asFirstToken(teacher, 21), [6, 3, 5])(ops, ops.tensor(asFirstToken(student, 22), [6, 3, 5]));
  assertClose([await lossValue(ops, patient, one, tokens)], [golden.pkd], tolerance, "first tokens");
  const mixed = against5(ops, ops.tensor(asFirstToken(student, 22), [6, 3, 5]));
  assertClose([await lossValue(ops, patient, one, mixed)], [golden.pkd], tolerance, "tokens against vectors");
}, [float64, ...backends]);

testBackends("patient is zero for equal directions and the mean over pairs", async (backend) => {
  const ops = createOps(backend);
  for (const data of [teacher, teacher.map((x) => 4 * x)]) {
    const models = against5(ops, ops.tensor(data, [6, 5]));
    assertClose([await lossValue(ops, patient, one, models)], [0], 1e-10);
  }
  const models = against5(ops, ops.tensor(student, [6, 5]));
  const twice = await lossValue(ops, patient, { pairs: [one.pairs[0], one.pairs[0]] }, models);
  assertClose([twice], [golden.pkd], 1e-5);
}, [float64, ...backends]);

testBackends("patient: the gradient agrees with finite differences and reaches first tokens only", async (backend) => {
  await assertLossGradient(backend, patient, one, [6, 5], student, against5);
  const gradient = await lossGradient(backend, patient, one, [6, 3, 5], asFirstToken(student, 22), against5);
  const others = [...gradient].filter((_, i) => i % 15 >= 5);
  assert.deepEqual(others.map(Math.abs), new Array(60).fill(0));
}, [float64]);

testBackends("a zero vector gives no NaN", async (backend) => {
  const gradient = await lossGradient(backend, patient, one, [6, 5], student.slice().fill(0, 0, 5), against5);
  assert.deepEqual([...gradient.slice(0, 5)].map(Math.abs), [0, 0, 0, 0, 0]);
  assert.ok(gradient.every(Number.isFinite), `${gradient}`);
}, [float64, ...backends]);

testBackends("patient refuses images and unequal widths", async (backend) => {
  const ops = createOps(backend);
  const compare = (s: number[], t: number[]) =>
    lossValue(ops, patient, one, { student: hidden(ops.full(s, 1)), teacher: hidden(ops.full(t, 1)) });
  await assert.rejects(compare([1, 4, 4, 5], [1, 4, 4, 5]), {
    message: `Cannot compare the first tokens of "0" [1,4,4,5] with "0" [1,4,4,5]: ` +
      "each must be [batch, tokens, width] or [batch, width]",
  });
  await assert.rejects(compare([1, 3, 5], [1, 3, 6]), {
    message: `Cannot compare the first tokens of "0" [1,3,5] with "0" [1,3,6]: ` +
      "the widths must be equal; cosine-hidden learns a projection",
  });
}, [float64]);

Deno.test("patient refuses an empty list of pairs", () => {
  assertRefusal(
    patient,
    "pairs: []",
    "recipe.yaml:1:8: Expected a list of at least 1 entry for pairs: got an empty list",
  );
});

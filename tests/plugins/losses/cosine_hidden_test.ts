import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { cosineHidden } from "../../../plugins/losses/cosine_hidden.ts";
import { gen } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue } from "../../support/loss_checks.ts";
import { buildLoss, lossCall, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const last = { pairs: [{ student: -1, teacher: -1 }] };
const hidden = (x: Tensor) => outputs(x, { hidden: [x] });
const student = gen([2, 3, 4], 3);
const teacher = gen([2, 3, 4], 4);
const against = (data: ArrayLike<number>, shape: number[]) => (ops: Ops, x: Tensor) => ({
  student: hidden(x),
  teacher: hidden(ops.tensor(data, shape)),
});
const against4 = against(teacher, [2, 3, 4]);

/** The mean of 1 - cos over vectors of four numbers. */
function byDefinition(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 4) {
    const [x, y] = [a.slice(i, i + 4), b.slice(i, i + 4)];
    sum += 1 - x.reduce((dot, value, j) => dot + value * y[j], 0) / (Math.hypot(...x) * Math.hypot(...y));
  }
  return sum / (a.length / 4);
}

testBackends("cosine-hidden is one minus the mean cosine of the tokens", async (backend) => {
  const ops = createOps(backend);
  const value = await lossValue(ops, cosineHidden, last, against4(ops, ops.tensor(student, [2, 3, 4])));
  assertClose([value], [byDefinition(student, teacher)], backend.precision === "float64" ? 1e-9 : 1e-5);
}, [float64, ...backends]);

testBackends("cosine-hidden is 0 for equal and scaled vectors and 2 for opposite ones", async (backend) => {
  const ops = createOps(backend);
  for (const [factor, expected] of [[1, 0], [5, 0], [-1, 2]]) {
    const data = teacher.map((x) => factor * x);
    const value = await lossValue(ops, cosineHidden, last, against4(ops, ops.tensor(data, [2, 3, 4])));
    assertClose([value], [expected], 1e-6, `${factor} times the teacher's`);
  }
}, [float64, ...backends]);

testBackends("cosine-hidden: the mean over pairs, and the gradient agrees with finite differences", async (backend) => {
  const ops = createOps(backend);
  const models = against4(ops, ops.tensor(student, [2, 3, 4]));
  const twice = await lossValue(ops, cosineHidden, { pairs: [last.pairs[0], last.pairs[0]] }, models);
  assertClose([twice], [byDefinition(student, teacher)], 1e-12);
  await assertLossGradient(backend, cosineHidden, last, [2, 3, 4], student, against4);
}, [float64]);

testBackends("a zero vector has cosine 0 and no gradient", async (backend) => {
  const zero = new Float64Array(24);
  const ops = createOps(backend);
  assertClose([await lossValue(ops, cosineHidden, last, against4(ops, ops.tensor(zero, [2, 3, 4])))], [1], 0);
  const gradient = await lossGradient(backend, cosineHidden, last, [2, 3, 4], zero, against4);
  assert.deepEqual([...gradient].map(Math.abs), [...zero]);
}, [float64, ...backends]);

testBackends("cosine-hidden learns a projection where widths differ", async (backend) => {
  const ops = createOps(backend);
  const models = against(gen([2, 3], 4), [2, 3])(ops, ops.tensor(gen([2, 4], 3), [2, 4]));
  const loss = await buildLoss(ops, cosineHidden, last, models);
  const [{ name, shape }] = loss.parameters!;
  assert.deepEqual(shape, [3, 4]);
  // The map takes the first three of four numbers, so a teacher of just these has cosine 1.
  const firstThree = ops.tensor([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], [3, 4]);
  const parts = gen([2, 4], 3).filter((_, i) => i % 4 < 3);
  const same = { ...models, teacher: hidden(ops.tensor(parts, [2, 3])) };
  const parameters = weightsFrom(new Map([[name, firstThree]]));
  assertClose(await loss.compute(lossCall(ops, same.student, same.teacher, { parameters })).read(), [0], 1e-6);
}, [float64, ...backends]);

testBackends("cosine-hidden asks for the teacher's outputs that its pairs name, and no others", async (backend) => {
  const ops = createOps(backend);
  const x = ops.tensor(student, [6, 4]);
  const model = outputs(x, { hidden: [x], features: { layer1: x } });
  const models = { student: model, teacher: model };
  const asked = async (...places: (string | number)[]) => {
    const pairs = places.map((teacher) => ({ student: "pooled", teacher }));
    return (await buildLoss(ops, cosineHidden, { pairs }, models)).teacherOutputs;
  };
  assert.deepEqual(await asked(0), ["hidden"]);
  assert.deepEqual(await asked("layer1", "layer1"), ["features"]);
  assert.deepEqual(await asked("pooled", -1), ["pooled", "hidden"]);
}, [float64]);

testBackends("cosine-hidden refuses layers of unequal token counts", async (backend) => {
  const ops = createOps(backend);
  const models = against(gen([2, 2, 4], 4), [2, 2, 4])(ops, ops.tensor(student, [2, 3, 4]));
  await assert.rejects(lossValue(ops, cosineHidden, last, models), {
    message: `Cannot compare "-1" [2,3,4] with "-1" [2,2,4]: all dimensions but the last must be equal`,
  });
}, [float64]);

Deno.test("cosine-hidden refuses a pair without the teacher's layer", () => {
  assertRefusal(
    cosineHidden,
    "pairs: [{ student: 0 }]",
    `recipe.yaml:1:9: Missing key "teacher" in pairs[0]: expected a non-empty string or an integer >= -10000 and <= 10000`,
  );
});

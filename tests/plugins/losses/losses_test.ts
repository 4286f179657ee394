import assert from "node:assert/strict";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossDefinition } from "../../../core/plugin/loss.ts";
import { OTHER_LABEL, OTHER_SHARE } from "../../../core/plugin/mix_images.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { crossEntropy } from "../../../plugins/losses/cross_entropy.ts";
import { hiddenMse } from "../../../plugins/losses/hidden_mse.ts";
import { kd } from "../../../plugins/losses/kd.ts";
import { mseLogits } from "../../../plugins/losses/mse_logits.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { buildLoss, lossCall, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const all = [float64, ...backends];
const teacherLogits = gen([4, 3], 1).map((value) => 2 * value);
const studentLogits = gen([4, 3], 2).map((value) => 2 * value);
const labels = [0, 1, 2, 1];

async function valueOf(
  ops: Ops,
  definition: LossDefinition,
  options: Record<string, unknown>,
  student: ArrayLike<number> = studentLogits,
  teacher: ArrayLike<number> = teacherLogits,
): Promise<number> {
  const models = { student: outputs(ops.tensor(student, [4, 3])), teacher: outputs(ops.tensor(teacher, [4, 3])) };
  const loss = await buildLoss(ops, definition, options, models);
  const batch = { label: ops.tensor(labels) };
  return (await loss.compute(lossCall(ops, models.student, models.teacher, { batch })).read())[0];
}

testBackends("cross-entropy, kd and mse-logits give the golden values", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
  assertClose([await valueOf(ops, crossEntropy, {})], [golden.ce], tolerance, "cross-entropy");
  assertClose([await valueOf(ops, kd, { temperature: 4 })], [golden.kd_T4], tolerance, "kd, T = 4");
  assertClose([await valueOf(ops, kd, { temperature: 1 })], [golden.kd_T1], tolerance, "kd, T = 1");
  assertClose([await valueOf(ops, mseLogits, {})], [golden.mse_logits], tolerance, "mse-logits");
}, all);

testBackends("cross-entropy with label smoothing mixes in the uniform target", async (backend) => {
  const ops = createOps(backend);
  let expected = 0;
  for (let row = 0; row < 4; row++) {
    const z = [...studentLogits.slice(3 * row, 3 * row + 3)];
    const logSum = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
    z.forEach((value, c) => expected -= (value - logSum) * ((c === labels[row] ? 0.8 : 0) + 0.2 / 3) / 4);
  }
  assertClose([await valueOf(ops, crossEntropy, { labelSmoothing: 0.2 })], [expected], 1e-12);
}, [float64]);

testBackends("kd is zero for equal logits and blind to a constant added to a row", async (backend) => {
  const ops = createOps(backend);
  assertClose([await valueOf(ops, kd, {}, teacherLogits)], [0], 1e-12);
  const shifted = studentLogits.map((value, index) => value + 7 * Math.floor(index / 3));
  assertClose([await valueOf(ops, kd, {}, shifted)], [golden.kd_T4], 1e-12);
}, [float64]);

testBackends("kd tends to the mean squared difference of centred logits as T grows", async (backend) => {
  const ops = createOps(backend);
  assertClose([await valueOf(ops, kd, { temperature: 1e4 })], [0.940332], 1e-6);
}, [float64]);

testBackends("a scheduled temperature is read at the step", async (backend) => {
  const ops = createOps(backend);
  assertClose([await valueOf(ops, kd, { temperature: { from: 4, to: 1 } })], [golden.kd_T4], 1e-12);
}, [float64]);

testBackends("hidden-mse is the plain mean square where widths are equal", async (backend) => {
  const ops = createOps(backend);
  const a = gen([2, 3, 4], 3);
  const b = gen([2, 3, 4], 4);
  const models = {
    student: outputs(ops.scalar(0), { hidden: [ops.tensor(a, [2, 3, 4])] }),
    teacher: outputs(ops.scalar(0), { hidden: [ops.scalar(0), ops.tensor(b, [2, 3, 4])] }),
  };
  const loss = await buildLoss(ops, hiddenMse, { pairs: [{ student: 0, teacher: -1 }] }, models);
  assert.deepEqual(loss.parameters, []);
  const expected = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
  const value = await loss.compute(lossCall(ops, models.student, models.teacher)).read();
  assertClose(value, [expected], 1e-5);
}, all);

testBackends(
  "hidden-mse learns a projection where widths differ, and the identity gives the plain value",
  async (backend) => {
    const ops = createOps(backend);
    const map = (data: ArrayLike<number>, shape: number[]) =>
      outputs(ops.scalar(0), { features: { layer1: ops.tensor(data, shape) } });
    const h = gen([2, 3, 3, 2], 5);
    const wide = Float64Array.from(
      { length: 2 * 3 * 3 * 3 },
      (_, i) => i % 3 < 2 ? h[Math.floor(i / 3) * 2 + i % 3] : 0.5,
    );
    const models = { student: map(h, [2, 3, 3, 2]), teacher: map(wide, [2, 3, 3, 3]) };
    const loss = await buildLoss(ops, hiddenMse, { pairs: [{ student: "layer1", teacher: "layer1" }] }, models);
    const [{ name, shape }] = loss.parameters!;
    assert.deepEqual(shape, [3, 2]);
    const identity = ops.tensor([1, 0, 0, 1, 0, 0], shape);
    const parameters = weightsFrom(new Map<string, Tensor>([[name, identity]]));
    const value = await loss.compute(lossCall(ops, models.student, models.teacher, { parameters })).read();
    // Only the third channel differs: 0.5 against 0.
    assertClose(value, [0.25 / 3], 1e-5);
  },
  all,
);

testBackends("hidden-mse refuses layers that are not there and images of unequal size", async (backend) => {
  const ops = createOps(backend);
  const models = {
    student: outputs(ops.scalar(0), { features: { a: ops.full([2, 4, 4, 3], 0) } }),
    teacher: outputs(ops.scalar(0), { features: { b: ops.full([2, 2, 2, 3], 0) } }),
  };
  await assert.rejects(
    buildLoss(ops, hiddenMse, { pairs: [{ student: "x", teacher: "b" }] }, models),
    { message: `Cannot compare layer "x" of the student: it has a, pooled` },
  );
  await assert.rejects(
    buildLoss(ops, hiddenMse, { pairs: [{ student: "a", teacher: "b" }] }, models),
    { message: /all dimensions but the last must be equal/ },
  );
}, [float64]);

testBackends("cross-entropy of mixed images is that with both labels, by their shares", async (backend) => {
  const ops = createOps(backend);
  const [others, shares] = [[1, 1, 0, 2], [0.25, 0.5, 0, 0.125]];
  const models = { student: outputs(ops.tensor(studentLogits, [4, 3])), teacher: outputs(ops.tensor([0], [1, 1])) };
  const loss = await buildLoss(ops, crossEntropy, {}, models);
  assert.equal(loss.mixed, true);
  const batch = { label: ops.tensor(labels), [OTHER_LABEL]: ops.tensor(others), [OTHER_SHARE]: ops.tensor(shares) };
  const [value] = await loss.compute(lossCall(ops, models.student, models.teacher, { batch })).read();
  const expected = labels.map((label, row) => {
    const own = Array.from(studentLogits.slice(3 * row, 3 * row + 3));
    const surprise = (label: number) => Math.log(own.reduce((sum, logit) => sum + Math.exp(logit), 0)) - own[label];
    return (1 - shares[row]) * surprise(label) + shares[row] * surprise(others[row]);
  });
  assertClose([value], [expected.reduce((sum, term) => sum + term, 0) / 4], 1e-5, "mixed");
}, all);

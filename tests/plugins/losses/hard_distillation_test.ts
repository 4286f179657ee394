import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { crossEntropy } from "../../../plugins/losses/cross_entropy.ts";
import { hardDistillation } from "../../../plugins/losses/hard_distillation.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, logitModels, lossGradient, lossValue, setupOf } from "../../support/loss_checks.ts";
import { buildLoss, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { tagger, taggingSetup } from "./taggers.ts";

const all = [float64, ...backends];
const teacher = gen([4, 3], 1).map((value) => 2 * value);
const student = gen([4, 3], 2).map((value) => 2 * value);
const labels = [0, 1, 2, 1];

/** torch.nn.functional.cross_entropy(student, teacher.argmax(-1)), in float64; the decisions are 2, 0, 0, 0. */
const EXPECTED = 1.2742407286826731;

testBackends("hard-distillation is PyTorch's cross-entropy with the teacher's argmax", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
  const value = (t: ArrayLike<number>) =>
    lossValue(ops, hardDistillation, {}, logitModels(ops, student, t, 3), { labels });
  assertClose([await value(teacher)], [EXPECTED], tolerance);
  assertClose([await value(teacher.map((z) => 100 * z))], [EXPECTED], tolerance, "how sure it is does not count");
  const right = labels.flatMap((label) => [0, 1, 2].map((c) => c === label ? 0.1 : 0));
  assertClose([await value(right)], [golden.ce], tolerance, "a teacher that is always right gives cross-entropy");
}, all);

testBackends("hard-distillation: the gradient agrees with finite differences", async (backend) => {
  const modelsOf = (ops: Ops, logits: Tensor) => ({
    student: outputs(logits),
    teacher: outputs(ops.tensor(teacher, [4, 3])),
  });
  await assertLossGradient(backend, hardDistillation, {}, [4, 3], student, modelsOf, { labels });
}, [float64]);

/** The four rows as tokens of two texts of three, of which the first ones have no label. */
const among = (rows: Float64Array) => [90, -90, 5, ...rows.slice(0, 6), -70, 3, 70, ...rows.slice(6)];
const batch = { label: { data: [-1, 0, 1, -1, 2, 1], shape: [2, 3] } };

testBackends("of tokens the teacher's decision is its best path where it has one", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const variation = { ...taggingSetup(), batch };
  const modelsOf = (predictions?: Tensor) => (ops: Ops, logits: Tensor) => ({
    student: tagger(logits),
    teacher: { ...tagger(ops.tensor(among(teacher), [2, 3, 3])), ...(predictions && { predictions }) },
  });
  const rows = ops.tensor(among(student), [2, 3, 3]);
  const value = (predictions?: Tensor) =>
    lossValue(ops, hardDistillation, {}, modelsOf(predictions)(ops, rows), variation);
  assertClose([await value()], [EXPECTED], tolerance, "the largest logit");
  assertClose([await value(ops.tensor([-1, 0, 1, -1, 2, 1], [2, 3]))], [golden.ce], tolerance, "a path of the labels");
  const gradient = await lossGradient(backend, hardDistillation, {}, [2, 3, 3], among(student), modelsOf(), variation);
  const unlabelled = [0, 1, 2, 9, 10, 11].map((index) => Math.abs(gradient[index]));
  assert.deepEqual(unlabelled, new Array(6).fill(0), "no gradient without a label");
}, all);

testBackends("hard-distillation is refused for a regression, and asks for the teacher's logits", async (backend) => {
  const ops = createOps(backend);
  const models = logitModels(ops, student, teacher, 3);
  const { setup } = setupOf(1);
  await assert.rejects(
    buildLoss(ops, hardDistillation, {}, models, { data: { ...setup.data!, task: "regression" } }),
    { name: "UserError", message: /^Cannot use the loss "hard-distillation" for regression: .*; use mse-logits$/ },
  );
  assert.deepEqual((await buildLoss(ops, hardDistillation, {}, models)).teacherOutputs, ["logits"]);
  assert.deepEqual((await buildLoss(ops, crossEntropy, {}, models)).teacherOutputs, []);
}, [float64]);

import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { contrastive } from "../../../plugins/losses/contrastive.ts";
import { crossEntropy } from "../../../plugins/losses/cross_entropy.ts";
import { dkd } from "../../../plugins/losses/dkd.ts";
import { focal } from "../../../plugins/losses/focal.ts";
import { kernelTransfer } from "../../../plugins/losses/kernel_transfer.ts";
import { mse } from "../../../plugins/losses/mse.ts";
import { subclassDirections } from "../../../plugins/losses/subclass_directions.ts";
import { gen } from "../../golden/golden.ts";
import golden from "../../golden/labels.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { textData } from "../../support/inputs.ts";
import {
  assertLossGradient,
  logitModels,
  lossGradient,
  lossValue,
  type LossVariation,
  setupOf,
} from "../../support/loss_checks.ts";
import { buildLoss, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { StatefulLoss } from "../../support/stateful_loss.ts";

const all = [float64, ...backends];

/** Those of labels.py. */
const labels = [0, -1, 2, 1, -1, 0, 2, 1];
const marks = labels.map((label) => label < 0 ? 0 : 1);
const known = labels.flatMap((label, row) => label < 0 ? [] : [row]);
const logits = gen([8, 3], 60).map((value) => 2 * value);
const taught = gen([8, 3], 61).map((value) => 2 * value);
const modelsOf = (ops: Ops, student: ArrayLike<number> = logits) => logitModels(ops, student, taught, 3);

const partly: LossVariation = { ...setupOf(3), labels, batch: { labelled: { data: marks, shape: [8] } } };
const rowsOf = (values: ArrayLike<number>, rows: readonly number[]) =>
  rows.flatMap((row) => [...Array.from(values).slice(3 * row, 3 * row + 3)]);

testBackends("losses over labels take the examples that have one: PyTorch's values and gradients", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
  const expected = [[{}, golden.cross_entropy], [{ labelSmoothing: 0.2 }, golden.cross_entropy_smoothed]] as const;
  for (const [options, { value, gradient }] of expected) {
    assertClose([await lossValue(ops, crossEntropy, options, modelsOf(ops), partly)], [value], tolerance);
    const own = await lossGradient(backend, crossEntropy, options, [8, 3], logits, (ops, student) => ({
      ...modelsOf(ops),
      student: outputs(student),
    }), partly);
    assertClose(own, gradient, tolerance);
  }
  const numbers = gen([8, 1], 62).map((value) => 2 * value);
  const answers = gen([8], 61).map((value, row) => 1.5 * value * marks[row]);
  const regression = { ...partly, labels: [...answers], setup: { data: textData([], {}, "regression") } };
  const models = (ops: Ops) => logitModels(ops, numbers, numbers, 1);
  assertClose([await lossValue(ops, mse, {}, models(ops), regression)], [golden.mse.value], tolerance);
  const own = await lossGradient(backend, mse, {}, [8, 1], numbers, (ops, student) => ({
    ...models(ops),
    student: outputs(student),
  }), regression);
  assertClose(own, golden.mse.gradient, tolerance);
}, all);

testBackends("a partly labelled batch is to a loss as the batch of its labelled examples", async (backend) => {
  const ops = createOps(backend);
  for (const [loss, options] of [[crossEntropy, { labelSmoothing: 0.1 }], [dkd, {}]] as const) {
    const part = await lossValue(ops, loss, options, modelsOf(ops), partly);
    const alone = logitModels(ops, rowsOf(logits, known), rowsOf(taught, known), 3);
    const whole = { ...setupOf(3), labels: known.map((row) => labels[row]) };
    assertClose([part], [await lossValue(ops, loss, options, alone, whole)], 1e-12);
    await assertLossGradient(backend, loss, options, [8, 3], logits, (ops, student) => ({
      ...modelsOf(ops),
      student: outputs(student),
    }), partly);
    const none = {
      ...setupOf(3),
      labels: labels.map(() => -1),
      batch: { labelled: { data: Array(8).fill(0), shape: [8] } },
    };
    assert.equal(Math.abs(await lossValue(ops, loss, options, modelsOf(ops), none)), 0);
  }
}, [float64]);

testBackends("of features, too, examples without a label are no part of a class", async (backend) => {
  const ops = createOps(backend);
  const pooled = (rows: readonly number[], seed: number) =>
    outputs(ops.full([rows.length, 3], 0), { pooled: ops.tensor(rowsOf(gen([8, 3], seed), rows), [rows.length, 3]) });
  const of = (rows: readonly number[]) => ({ student: pooled(rows, 63), teacher: pooled(rows, 64) });
  const every = labels.map((_, row) => row);
  const centres = async (rows: readonly number[]) => {
    const loss = new StatefulLoss(ops, await buildLoss(ops, kernelTransfer, {}, of(rows), setupOf(3).setup));
    await loss.step(of(rows), rows.map((row) => labels[row]));
    await loss.endEpoch();
    return await Promise.all(["student", "teacher"].map((side) => loss.state.get(`${side} centres before`).read()));
  };
  const [whole, part] = [await centres(every), await centres(known)];
  whole.forEach((values, side) => assertClose(values, part[side], 1e-12));
  const options = { dimensions: 4, negatives: 8, temperature: 0.5 };
  const setup = { ...setupOf(3).setup, trainingExamples: 8 };
  const told = new StatefulLoss(ops, await buildLoss(ops, contrastive, options, of(every), setup));
  await told.prepare(of(every).teacher, labels);
  const models = of(every);
  const call = told.callOf(models, labels);
  const batch = { ...call.batch, labelled: ops.tensor(marks), negatives: ops.tensor(every) };
  const { gradients } = ops.differentiate(() => told.loss.compute({ ...call, batch }), [models.student.pooled]);
  const gradient = await gradients[0]!.read();
  const lengths = every.map((row) => Math.hypot(...rowsOf(gradient, [row])));
  assert.deepEqual(lengths.map((length) => length > 1e-6 ? 1 : 0), marks, "only those with a label are told apart");
  // A bank's entry of an example without a label is nobody's negative: its numbers change nothing.
  const value = async () => (await told.loss.compute({ ...call, batch }).read())[0];
  const before = await value();
  for (const side of ["student", "teacher"]) {
    const bank = await told.state.get(`${side} bank`).read();
    told.set(`${side} bank`, Array.from(bank, (entry, i) => marks[Math.floor(i / 4)] * entry));
  }
  assertClose([await value()], [before], 1e-12);
}, [float64]);

Deno.test("LELP's directions are of the examples that have a label", () => {
  const shared = { classes: 3, width: 3, subclasses: 1, excluded: new Float64Array(0), rotation: Float64Array.of(1) };
  const embeddings = gen([8, 3], 65);
  const whole = subclassDirections({ ...shared, embeddings, labels });
  const part = subclassDirections({
    ...shared,
    embeddings: rowsOf(embeddings, known),
    labels: known.map((row) => labels[row]),
  });
  assert.deepEqual(whole, part);
});

testBackends("class weights and the focal loss have PyTorch's values and gradients", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
  const classWeights = { "class 0": 0.5, "class 1": 2, "class 2": 3.5 };
  const expected = [
    [crossEntropy, { classWeights }, golden.cross_entropy_weighted],
    [crossEntropy, { classWeights, labelSmoothing: 0.2 }, golden.cross_entropy_weighted_smoothed],
    [focal, {}, golden.focal],
    [focal, { gamma: 1.5, classWeights }, golden.focal_weighted],
    [focal, { gamma: 0 }, golden.cross_entropy],
    [crossEntropy, { classWeights: { "class 1": 1 } }, golden.cross_entropy],
  ] as const;
  for (const [loss, options, { value, gradient }] of expected) {
    assertClose([await lossValue(ops, loss, options, modelsOf(ops), partly)], [value], tolerance);
    const own = await lossGradient(backend, loss, options, [8, 3], logits, (ops, student) => ({
      ...modelsOf(ops),
      student: outputs(student),
    }), partly);
    assertClose(own, gradient, tolerance);
  }
}, all);

testBackends(
  "the focal loss's gradient agrees with finite differences, and is 0 where nothing counts",
  async (backend) => {
    for (const options of [{ gamma: 0.5 }, { gamma: 3, classWeights: { "class 0": 4, "class 1": 0 } }]) {
      await assertLossGradient(backend, focal, options, [8, 3], logits, (ops, student) => ({
        ...modelsOf(ops),
        student: outputs(student),
      }), partly);
    }
    const ops = createOps(backend);
    const sure = logits.map((_, place) => place % 3 === Math.max(0, labels[Math.floor(place / 3)]) ? 200 : -200);
    assert.equal(await lossValue(ops, focal, {}, modelsOf(ops, sure), partly), 0);
    const none = { ...partly, setup: { ...partly.setup }, labels: labels.map(() => 1) };
    for (const loss of [focal, crossEntropy]) {
      assert.equal(await lossValue(ops, loss, { classWeights: { "class 1": 0 } }, modelsOf(ops), none), 0);
    }
  },
  [float64],
);

testBackends(
  "balanced class weights are scikit-learn's, of the training examples that have a label",
  async (backend) => {
    const ops = createOps(backend);
    const models = modelsOf(ops);
    const loss = new StatefulLoss(
      ops,
      await buildLoss(ops, crossEntropy, { classWeights: "balanced" }, models, setupOf(3).setup),
    );
    // Not as many of each.
    await loss.prepare(models.teacher, labels.slice(0, -1));
    const weights = [...await loss.state.get("class weights").read()];
    assertClose(weights, golden.balanced, 1e-12);
    const named = Object.fromEntries(weights.map((weight, label) => [`class ${label}`, weight]));
    const call = loss.callOf(models, labels);
    const value = loss.loss.compute({ ...call, batch: { ...call.batch, labelled: ops.tensor(marks) } });
    assertClose(
      [...await value.read()],
      [await lossValue(ops, crossEntropy, { classWeights: named }, models, partly)],
      1e-12,
    );
    await assert.rejects(() => loss.prepare(models.teacher, [0, 0, 1]), {
      name: "UserError",
      message:
        'Cannot balance the class "class 2" in the loss "cross-entropy" as no training example is of it: name weights',
    });
    const refused = (options: Record<string, unknown>, message: string, setup = {}, path = ["classWeights"]) =>
      assert.rejects(() => buildLoss(ops, focal, options, models, { ...setupOf(3).setup, ...setup }), {
        message,
        path,
      });
    await refused(
      { classWeights: { spam: 2 } },
      'Cannot weight the class "spam" in the loss "focal": the classes are class 0, class 1 and class 2',
      {},
      ["classWeights", "spam"],
    );
    await refused(
      { classWeights: { "class 0": 0, "class 1": 0, "class 2": 0 } },
      'Cannot weight all classes in the loss "focal" by 0: expected one above',
    );
    await refused(
      { classWeights: "balanced" },
      'Cannot balance classes in the loss "focal" for tagging: name their weights',
      {
        data: textData(["O", "B-a"], {}, "tagging"),
      },
    );
  },
  [float64],
);

import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossDefinition } from "../../../core/plugin/loss.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { crossEntropy } from "../../../plugins/losses/cross_entropy.ts";
import { dist } from "../../../plugins/losses/dist.ts";
import { dkd } from "../../../plugins/losses/dkd.ts";
import { jensenShannon } from "../../../plugins/losses/jensen_shannon.ts";
import { kd } from "../../../plugins/losses/kd.ts";
import { logitStandardization } from "../../../plugins/losses/logit_standardization.ts";
import { mse } from "../../../plugins/losses/mse.ts";
import { mseLogits } from "../../../plugins/losses/mse_logits.ts";
import { gen, golden } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue, setupOf } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { tagger, taggingSetup } from "./taggers.ts";

const all = [float64, ...backends];
const teacher = gen([4, 3], 1).map((value) => 2 * value);
const student = gen([4, 3], 2).map((value) => 2 * value);

/** The four golden rows as tokens of two texts of three, of which two have no label. */
const among = (rows: Float64Array) => [...rows.slice(0, 6), 90, -90, 5, -70, 3, 70, ...rows.slice(6)];
const batch = { label: { data: [0, 1, -1, -1, 2, 1], shape: [2, 3] } };
const variation = { ...taggingSetup(), batch };
const modelsOf = (ops: Ops, logits: Tensor) => ({
  student: tagger(logits),
  teacher: tagger(ops.tensor(among(teacher), [2, 3, 3])),
});

/** The losses of logits, with options by which their terms are all there. */
const kinds: readonly (readonly [LossDefinition, Record<string, unknown>])[] = [
  [crossEntropy, { labelSmoothing: 0.3 }],
  [kd, {}],
  [mseLogits, {}],
  [jensenShannon, {}],
  [logitStandardization, {}],
  [dkd, {}],
];

testBackends("cross-entropy and kd over tokens with a label have the golden values of the rows", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const models = modelsOf(ops, ops.tensor(among(student), [2, 3, 3]));
  assertClose([await lossValue(ops, crossEntropy, {}, models, variation)], [golden.ce], tolerance, "cross-entropy");
  assertClose([await lossValue(ops, kd, {}, models, variation)], [golden.kd_T4], tolerance, "kd, T = 4");
}, all);

for (const [definition, options] of kinds) {
  testBackends(`${definition.name} of tokens with a label is that of as many examples`, async (backend) => {
    const ops = createOps(backend);
    const examples = { student: outputs(ops.tensor(student, [4, 3])), teacher: outputs(ops.tensor(teacher, [4, 3])) };
    const expected = await lossValue(ops, definition, options, examples, { labels: [0, 1, 2, 1] });
    const models = modelsOf(ops, ops.tensor(among(student), [2, 3, 3]));
    const value = await lossValue(ops, definition, options, models, variation);
    assertClose([value], [expected], backend.precision === "float64" ? 1e-9 : 1e-5);
    const gradient = await lossGradient(backend, definition, options, [2, 3, 3], among(student), modelsOf, variation);
    assert.deepEqual([...gradient.slice(6, 12)].map(Math.abs), new Array(6).fill(0), "no gradient without a label");
    assert.ok(gradient.every(Number.isFinite));
  }, all);

  testBackends(`${definition.name} of tokens: the gradient agrees with finite differences`, async (backend) => {
    await assertLossGradient(backend, definition, options, [2, 3, 3], among(student), modelsOf, variation);
  }, [float64]);
}

testBackends("a batch of tokens without any label has loss 0", async (backend) => {
  const ops = createOps(backend);
  const models = modelsOf(ops, ops.tensor(among(student), [2, 3, 3]));
  const none = { ...variation, batch: { label: { data: new Array(6).fill(-1), shape: [2, 3] } } };
  assert.equal(Math.abs(await lossValue(ops, crossEntropy, {}, models, none)), 0);
}, all);

const regression = () => {
  const { setup } = setupOf(3);
  return { setup: { ...setup, data: { ...setup.data!, task: "regression", classes: [] } as typeof setup.data } };
};

testBackends("mse is the mean squared difference from the labels, with its gradient", async (backend) => {
  const ops = createOps(backend);
  const models = (ops: Ops, logits: Tensor) => ({ student: outputs(logits), teacher: outputs(ops.full([3, 1], 0)) });
  const labels = { labels: [0.5, -1, 2], ...regression() };
  const value = await lossValue(ops, mse, {}, models(ops, ops.tensor([1, 1, 2.5], [3, 1])), labels);
  assertClose([value], [(0.25 + 4 + 0.25) / 3], 1e-6);
  const gradient = await lossGradient(backend, mse, {}, [3, 1], [1, 1, 2.5], models, labels);
  assertClose(gradient, [1 / 3, 4 / 3, 1 / 3], 1e-6);
}, all);

testBackends("mse refuses labels that are classes, and options", async (backend) => {
  const ops = createOps(backend);
  const models = { student: outputs(ops.full([3, 1], 0)), teacher: outputs(ops.full([3, 1], 0)) };
  await assert.rejects(lossValue(ops, mse, {}, models, setupOf(3)), {
    message: `Cannot use the loss "mse" for classification: its labels are classes; use cross-entropy`,
  });
  assertRefusal(mse, "weight: 1", `recipe.yaml:1:1: Unknown key "weight" at the top level: nothing can be set here`);
}, [float64]);

testBackends("losses of probabilities refuse regression, and dist refuses tagging", async (backend) => {
  const ops = createOps(backend);
  const models = { student: outputs(ops.full([3, 1], 0)), teacher: outputs(ops.full([3, 1], 0)) };
  for (const [definition] of [...kinds.filter(([{ name }]) => name !== "mse-logits"), [dist] as const]) {
    await assert.rejects(lossValue(ops, definition, {}, models, regression()), {
      message: `Cannot use the loss "${definition.name}" for regression: it compares probabilities of classes; use ` +
        (definition === crossEntropy ? "mse" : "mse-logits"),
    });
  }
  await assert.rejects(lossValue(ops, dist, {}, models, taggingSetup()), {
    message: `Cannot use the loss "dist" for tagging: it compares a class over whole examples; use kd`,
  });
}, [float64]);

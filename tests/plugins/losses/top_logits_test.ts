import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossDefinition } from "../../../core/plugin/loss.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { hardDistillation } from "../../../plugins/losses/hard_distillation.ts";
import { jensenShannon } from "../../../plugins/losses/jensen_shannon.ts";
import { kd } from "../../../plugins/losses/kd.ts";
import { logitStandardization } from "../../../plugins/losses/logit_standardization.ts";
import { gen } from "../../golden/golden.ts";
import golden from "../../golden/top_logits.json" with { type: "json" };
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, lossGradient, lossValue, setupOf } from "../../support/loss_checks.ts";
import { buildLoss, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { topLogits } from "../../support/top_logits.ts";
import { tagger, taggingSetup } from "./taggers.ts";

const [ROWS, CLASSES, COUNT] = [5, 11, 4];
const shape = [ROWS, CLASSES];
const [teacher, student] = [71, 72].map((seed) => gen(shape, seed).map((value) => 3 * value));
const all = [float64, ...backends];

/** A student's logits beside what is kept of the teacher's. */
const modelsOf = (ops: Ops, logits: Tensor, count = COUNT, temperatures: readonly number[] = [1, 4]) => ({
  student: outputs(logits),
  teacher: outputs(logits, { topLogits: topLogits(ops, { data: teacher, shape }, count, temperatures) }),
});
const variation = (count = COUNT) => ({ setup: { ...setupOf(CLASSES).setup, topLogits: count } });

testBackends(
  "kd and jensen-shannon from the largest logits are PyTorch's of the others taken as one",
  async (backend) => {
    const ops = createOps(backend);
    // What is kept is float32 everywhere.
    const tolerance = backend.precision === "float64" ? 1e-7 : 1e-5;
    for (const temperature of [1, 4] as const) {
      const of = golden.at[temperature];
      for (const [definition, expected] of [[kd, of.kd], [jensenShannon, of.jensenShannon]] as const) {
        const who = `${definition.name} at ${temperature}`;
        const models = modelsOf(ops, ops.tensor(student, shape));
        const value = await lossValue(ops, definition, { temperature }, models, variation());
        assertClose([value], [expected.value], tolerance, who);
        const by = (ops: Ops, logits: Tensor) => modelsOf(ops, logits);
        const gradient = await lossGradient(backend, definition, { temperature }, shape, student, by, variation());
        assertClose(gradient, expected.gradient, tolerance, `gradient of ${who}`);
      }
    }
    const decided = await lossValue(ops, hardDistillation, {}, modelsOf(ops, ops.tensor(student, shape)), variation());
    assertClose([decided], [golden.hard], tolerance, "hard-distillation");
  },
  all,
);

testBackends("with all classes but one kept nothing is lost", async (backend) => {
  const ops = createOps(backend);
  const models = modelsOf(ops, ops.tensor(student, shape), CLASSES - 1);
  const value = await lossValue(ops, kd, { temperature: 4 }, models, variation(CLASSES - 1));
  assertClose([value], [golden.at[4].whole.value], backend.precision === "float64" ? 1e-7 : 1e-5);
}, all);

testBackends("kd from the largest logits: the gradient agrees with finite differences", async (backend) => {
  const by = (ops: Ops, logits: Tensor) => modelsOf(ops, logits);
  for (const definition of [kd, jensenShannon]) {
    await assertLossGradient(backend, definition, { temperature: 4 }, shape, student, by, variation());
  }
}, [float64]);

testBackends("of tokens those without a label and padding count for nothing", async (backend) => {
  const ops = createOps(backend);
  // Two texts of three tokens, of which the second has one; a padded token's classes are all 0.
  const tokens = (data: ArrayLike<number>) => Float64Array.from({ length: 2 * 3 * 3 }, (_, i) => data[i]);
  const [z, t] = [tokens(gen([18], 73)), tokens(gen([18], 74))];
  const kept = topLogits(ops, { data: t, shape: [2, 3, 3] }, 2, [2]);
  const zeros = async (x: Tensor) => {
    const numbers = await x.read();
    return ops.tensor(numbers.map((value, i) => i < 4 * numbers.length / 6 ? value : 0), x.shape);
  };
  const padded = {
    classes: await zeros(kept.classes),
    values: await zeros(kept.values),
    rest: { "2": await zeros(kept.rest["2"]) },
  };
  const { setup } = taggingSetup();
  const batch = { label: { data: [-1, 0, 1, 2, -1, -1], shape: [2, 3] } };
  const value = (definition: LossDefinition, topLogits: typeof kept | null) => {
    const whole = tagger(ops.tensor(t, [2, 3, 3]));
    const models = {
      student: tagger(ops.tensor(z, [2, 3, 3])),
      teacher: { ...whole, ...(topLogits && { topLogits }) },
    };
    const options = definition === kd ? { temperature: 2 } : {};
    return lossValue(ops, definition, options, models, { setup: { ...setup, topLogits: topLogits && 2 }, batch });
  };
  for (const definition of [kd, hardDistillation]) {
    assertClose([await value(definition, padded)], [await value(definition, null)], 1e-5, definition.name);
  }
}, backends);

Deno.test("a temperature that changes has no rest, and what is made of all logits asks for them", async () => {
  const ops = createOps(await float64.open());
  const models = modelsOf(ops, ops.tensor(student, shape));
  const { setup } = variation();
  const scheduled = { temperature: { from: 4, to: 1 } };
  await assert.rejects(buildLoss(ops, kd, scheduled, models, setup), {
    name: "UserError",
    message:
      'Cannot use the loss "kd" with teacher.keep.topK and a temperature that changes: of the classes that are ' +
      "not kept there is one number for one temperature; give temperature a number, or leave out teacher.keep",
  });
  const loss = await buildLoss(ops, kd, { temperature: 3 }, models, setup);
  assert.deepEqual([loss.teacherOutputs, loss.temperatures], [["topLogits"], [3]]);
  assert.deepEqual((await buildLoss(ops, logitStandardization, {}, models, setup)).teacherOutputs, ["logits"]);
  await ops.backend.close();
});

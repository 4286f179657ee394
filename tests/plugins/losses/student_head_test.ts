import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossDefinition } from "../../../core/plugin/loss.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { crossEntropy } from "../../../plugins/losses/cross_entropy.ts";
import { dist } from "../../../plugins/losses/dist.ts";
import { dkd } from "../../../plugins/losses/dkd.ts";
import { hardDistillation } from "../../../plugins/losses/hard_distillation.ts";
import { jensenShannon } from "../../../plugins/losses/jensen_shannon.ts";
import { kd } from "../../../plugins/losses/kd.ts";
import { logitStandardization } from "../../../plugins/losses/logit_standardization.ts";
import { mseLogits } from "../../../plugins/losses/mse_logits.ts";
import { gen } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, logitModels, lossTensor, lossValue, type Models } from "../../support/loss_checks.ts";
import { buildLoss, outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const kinds: readonly LossDefinition[] = [
  crossEntropy,
  kd,
  hardDistillation,
  mseLogits,
  dkd,
  dist,
  jensenShannon,
  logitStandardization,
];
const [teacher, first, second] = [1, 2, 3].map((seed) => gen([4, 3], seed).map((value) => 2 * value));
const variation = { labels: [0, 1, 2, 1] };

/** A student of two heads, as a DeiT is. */
function twoHeads(ops: Ops, heads: Readonly<Record<string, Tensor>>): Models {
  const [a, b] = Object.values(heads);
  const logits = ops.scale(ops.add(a, b), 0.5);
  return { student: outputs(logits, { headLogits: heads }), teacher: outputs(ops.tensor(teacher, [4, 3])) };
}

for (const definition of kinds) {
  testBackends(`${definition.name} at a head sees this head's logits alone`, async (backend) => {
    const ops = createOps(backend);
    const heads = { class: ops.tensor(first, [4, 3]), distillation: ops.tensor(second, [4, 3]) };
    const models = twoHeads(ops, heads);
    const mean = first.map((value, index) => (value + second[index]) / 2);
    const tolerance = backend.precision === "float64" ? 1e-12 : 1e-5;
    for (const [head, values] of [["class", first], ["distillation", second], [null, mean]] as const) {
      const value = await lossValue(ops, definition, { head }, models, variation);
      const expected = await lossValue(ops, definition, {}, logitModels(ops, values, teacher, 3), variation);
      assertClose([value], [expected], tolerance, `head ${head}`);
    }
    const compute = await lossTensor(ops, definition, { head: "distillation" }, models, variation);
    const { gradients } = ops.differentiate(compute, [heads.class, heads.distillation]);
    assert.ok(!gradients[0] || (await gradients[0].read()).every((value) => value === 0), "none at the other head");
    assert.ok((await gradients[1]!.read()).some((value) => Math.abs(value) > 1e-3));
  }, [float64, ...backends]);

  testBackends(`${definition.name} at a head: the gradient agrees with finite differences`, async (backend) => {
    const modelsOf = (ops: Ops, logits: Tensor) =>
      twoHeads(ops, { class: ops.tensor(first, [4, 3]), distillation: logits });
    await assertLossGradient(backend, definition, { head: "distillation" }, [4, 3], second, modelsOf, variation);
  }, [float64]);

  testBackends(`${definition.name} refuses a head that the student does not have`, async (backend) => {
    const ops = createOps(backend);
    const build = (models: Models, head: string) => buildLoss(ops, definition, { head }, models);
    const start = `Cannot point the loss "${definition.name}" at the head`;
    const heads = { class: ops.tensor(first, [4, 3]), distillation: ops.tensor(second, [4, 3]) };
    await assert.rejects(build(twoHeads(ops, heads), "teacher"), {
      name: "UserError",
      message: `${start} "teacher": expected class or distillation`,
    });
    await assert.rejects(build(logitModels(ops, first, teacher, 3), "class"), {
      name: "UserError",
      message:
        `${start} "class": the student has no heads with names, as a DeiT has (variant: deit of vit); set head to null`,
    });
  }, [float64]);
}

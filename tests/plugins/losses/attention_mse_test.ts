import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { attentionMse } from "../../../plugins/losses/attention_mse.ts";
import { gen } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, assertRefusal, lossGradient, lossValue } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";

const all = [float64, ...backends];
const shape = [2, 2, 3, 3]; // batch, heads, queries, keys
const padded = [1, 1, 0, 1, 1, 1];
const variation = { batch: { mask: { data: padded, shape: [2, 3] } } };

/** Layers whose scores and probabilities are those of these seeds; the probabilities need not be any. */
function model(ops: Ops, seeds: readonly number[], first?: Tensor): ModelOutputs {
  const of = (seed: number) => ops.tensor(gen(shape, seed), shape);
  const scores = seeds.map(of);
  if (first) scores[0] = first;
  return outputs(scores[0], { scores, attention: seeds.map((seed) => of(seed + 100)) });
}

/** The mean of (a - b)^2 over the heads and over pairs of kept tokens. */
function byDefinition(a: Float64Array, b: Float64Array, mask = padded): number {
  let [sum, count] = [0, 0];
  a.forEach((x, i) => {
    const [image, query, key] = [Math.floor(i / 18), Math.floor(i / 3) % 3, i % 3];
    if (!mask[3 * image + query] || !mask[3 * image + key]) return;
    sum += (x - b[i]) ** 2;
    count++;
  });
  return sum / count;
}

testBackends("attention-mse sums over layers, the student's i-th with the last of its share", async (backend) => {
  const ops = createOps(backend);
  const tolerance = backend.precision === "float64" ? 1e-9 : 1e-5;
  const models = { student: model(ops, [1, 2]), teacher: model(ops, [3, 4, 5, 6]) };
  const terms = (offset: number, mask?: number[]) =>
    byDefinition(gen(shape, 1 + offset), gen(shape, 4 + offset), mask) +
    byDefinition(gen(shape, 2 + offset), gen(shape, 6 + offset), mask);
  assertClose([await lossValue(ops, attentionMse, {}, models, variation)], [terms(0)], tolerance, "scores");
  const probabilities = await lossValue(ops, attentionMse, { of: "probabilities" }, models, variation);
  assertClose([probabilities], [terms(100)], tolerance, "probabilities");
  const unmasked = await lossValue(ops, attentionMse, {}, models);
  assertClose([unmasked], [terms(0, [1, 1, 1, 1, 1, 1])], tolerance, "without a mask");
  const layers = [{ student: -1, teacher: 0 }];
  const one = await lossValue(ops, attentionMse, { layers }, models, variation);
  assertClose([one], [byDefinition(gen(shape, 2), gen(shape, 3))], tolerance, "one pair");
}, all);

testBackends("attention-mse is zero for equal scores, whatever stands at the padding", async (backend) => {
  const ops = createOps(backend);
  const scores = gen(shape, 1);
  const hidden = scores.map((x, i) => i < 18 && (i % 3 === 2 || Math.floor(i / 3) % 3 === 2) ? -1e9 * i : x);
  const models = (ops: Ops, x: Tensor) => ({ student: model(ops, [1], x), teacher: model(ops, [1]) });
  const value = await lossValue(ops, attentionMse, {}, models(ops, ops.tensor(hidden, shape)), variation);
  assert.equal(value, 0);
  const gradient = await lossGradient(backend, attentionMse, {}, shape, hidden, models, variation);
  assert.ok(gradient.every((x) => x === 0), `${gradient}`);
}, all);

testBackends("attention-mse: the gradient agrees with finite differences", async (backend) => {
  const models = (ops: Ops, x: Tensor) => ({ student: model(ops, [1], x), teacher: model(ops, [3, 4]) });
  await assertLossGradient(backend, attentionMse, {}, shape, gen(shape, 1), models, variation);
}, [float64]);

testBackends("attention-mse refuses unequal heads, layers that do not spread, and other models", async (backend) => {
  const ops = createOps(backend);
  const two = model(ops, [1, 2]);
  await assert.rejects(lossValue(ops, attentionMse, {}, { student: two, teacher: model(ops, [1, 2, 3]) }), {
    message: `Cannot spread 2 layers over the teacher's 3 in "attention-mse" as 3 is no multiple of 2: ` +
      "list the pairs of layers",
  });
  const more = outputs(two.logits, { scores: [ops.full([2, 4, 3, 3], 0), ops.full([2, 4, 3, 3], 0)] });
  await assert.rejects(lossValue(ops, attentionMse, {}, { student: two, teacher: more }), {
    message: `Cannot compare 2 attention heads of the student with 4 of the teacher in "attention-mse": ` +
      "the numbers must be equal; minilm does without",
  });
  const longer = outputs(two.logits, { scores: [ops.full([2, 2, 4, 4], 0), ops.full([2, 2, 4, 4], 0)] });
  await assert.rejects(lossValue(ops, attentionMse, {}, { student: two, teacher: longer }), {
    name: "UserError",
    message:
      `Cannot compare attention over the student's 3 tokens with that over the teacher's 4 in "attention-mse": ` +
      "the numbers must be equal",
  });
  const plain = outputs(two.logits);
  await assert.rejects(lossValue(ops, attentionMse, {}, { student: plain, teacher: two }), {
    message: `Cannot use the loss "attention-mse" as the student gives no attention scores: both must be transformers`,
  });
  const layers = [{ student: 0, teacher: 2 }];
  await assert.rejects(lossValue(ops, attentionMse, { layers }, { student: two, teacher: two }), {
    message: `Cannot compare attention of the teacher's layer 2 in "attention-mse": it has 2 layers`,
  });
}, [float64]);

Deno.test("attention-mse refuses unknown kinds and an empty list of layers", () => {
  assertRefusal(attentionMse, "of: logits", `recipe.yaml:1:5: Expected scores or probabilities for of: got "logits"`);
  assertRefusal(
    attentionMse,
    "layers: []",
    "recipe.yaml:1:9: Expected uniform or a list of at least 1 entry for layers: got an empty list",
  );
});

import assert from "node:assert/strict";
import {
  backgroundOf,
  explainByGradients,
  explainByLrp,
  explainByRollout,
  explainByShapley,
  type ExplainCall,
} from "../../../../core/assess/explain/methods.ts";
import { decomposeWeight } from "../../../../core/overparameterise/mpo.ts";
import { mergedWeights } from "../../../../core/distill/student/merged_weights.ts";
import { Student } from "../../../../core/distill/student/student.ts";
import type { Backend } from "../../../../core/backend/backend.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { heldChain } from "../../../support/chains.ts";
import { automaticFactors } from "../../../../core/mpo/automatic_shapes.ts";
import { freeze } from "../../../../core/nn/frozen_weights.ts";
import type { ForwardCall } from "../../../../core/plugin/model.ts";
import { createOps, type Ops } from "../../../../core/ops/ops.ts";
import { testBackends } from "../../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";
import { built, images, texts } from "../../onnx/onnx_models.ts";
import { modelOf, numbersFor } from "./small_models.ts";

const settings: ExplainCall["settings"] = {
  lrp: { rule: "composite", first: "z-box", epsilon: 1e-9 },
  steps: 32,
  patches: 2,
  sets: 100,
  background: "mean",
  batchSize: 32,
  seed: 1,
};

function callOf(
  backend: Backend,
  { model, input, weights }: ReturnType<typeof built>,
  more: Pick<ExplainCall, "batch" | "targets"> & Partial<ExplainCall>,
): ExplainCall {
  const ops = createOps(backend);
  return { ops, model, weights: freeze(ops, model, weights), input, words: null, blank: null, settings, ...more };
}

const imageBatch = (count: number, size: readonly [number, number, number]) => ({
  image: {
    data: Float32Array.from(pseudoRandom(4, count * size[0] * size[1] * size[2], -1.2, 1.8)),
    shape: [count, ...size],
  },
});

/** Two texts, the second shorter, between a first and a last token that are no words. */
const textBatch = {
  tokens: { data: Float32Array.of(2, 7, 8, 9, 3, 2, 11, 12, 3, 1), shape: [2, 5] },
  types: { data: new Float32Array(10), shape: [2, 5] },
  mask: { data: Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 0), shape: [2, 5] },
};
const words = [
  [{ text: "a", tokens: [1, 2] }, { text: " b", tokens: [3] }],
  [{ text: "c", tokens: [1] }, { text: " d", tokens: [2] }],
];

const worst = (errors: readonly { readonly sum: number; readonly f: number }[]) =>
  Math.max(...errors.map(({ sum, f }) => Math.abs(sum - f)));

testBackends(
  "all explanations of a ResNet's answers add up, and those of a linear model are known",
  async (backend) => {
    const resnet = built("resnet", { depth: 8, width: 4 }, images(9, 7, 1));
    const call = callOf(backend, resnet, { batch: imageBatch(2, [9, 7, 1]), targets: [1, 3] });
    for (
      const [explain, bound] of [[explainByLrp, 0.02], [explainByGradients, 0.02], [explainByShapley, 1e-5]] as const
    ) {
      const { values, errors } = await explain(call);
      assert.ok(values.every((own) => own.length === (explain === explainByShapley ? 4 : 63)));
      assert.ok(worst(errors) < bound, `${explain.name}: ${worst(errors)}`);
    }
    await assert.rejects(explainByRollout(call), /Cannot roll out the model's attention as it has none/);

    const model = modelOf(
      { weight: [2, 12], bias: [2] },
      ({ ops, batch }, get) => ops.linear(ops.reshape(batch.image, [-1, 12]), get("weight"), get("bias")),
    );
    const input = images(4, 3, 1);
    const weights = numbersFor(model);
    const linear = callOf(backend, { model, input, weights }, { batch: imageBatch(1, [4, 3, 1]), targets: [1] });
    const black = { ...linear, settings: { ...settings, background: "black" as const } };
    const background = backgroundOf(input, "black")[0];
    assert.ok(Math.abs(background - (0 - 0.4) / 0.3) < 1e-9);
    const products = linear.batch.image.data.map((x, at) => weights.get("weight")![12 + at] * (x - background));
    assertClose((await explainByGradients(black)).values[0], products, 1e-5);
    const { values: [patches], patches: found } = await explainByShapley(black);
    const expected = [0, 1, 2, 3].map((patch) =>
      products.reduce((sum, value, at) => sum + (found!.of[at] === patch ? value : 0), 0)
    );
    assertClose(patches, expected, 1e-5);
  },
);

Deno.test("a patch that looks like the background, and a word like the blank, have the value 0", async () => {
  const backend = await CpuBackend.create();
  const resnet = built("resnet", { depth: 8, width: 4 }, images(8, 8, 1));
  const batch = imageBatch(1, [8, 8, 1]);
  for (const at of Array(64).keys()) if (at % 8 < 4 && at < 32) batch.image.data[at] = 0;
  const { values } = await explainByShapley(callOf(backend, resnet, { batch, targets: [0] }));
  assert.ok(Math.abs(values[0][0]) < 1e-6 && Math.abs(values[0][1]) > 1e-3, `${values[0]}`);
  const bert = built("bert", { layers: 1, width: 16, heads: 2 }, texts());
  const call = callOf(backend, bert, { batch: textBatch, targets: [0, 1], words, blank: 9 });
  const ofWords = await explainByShapley(call);
  assert.ok(Math.abs(ofWords.values[0][1]) < 1e-6 && Math.abs(ofWords.values[0][0]) > 1e-3, `${ofWords.values[0]}`);
  assert.ok(worst(ofWords.errors) < 1e-5);
  await backend.close();
});

testBackends("answers about texts are explained by their words, those of an encoder not by LRP", async (backend) => {
  const bert = built("bert", { layers: 2, width: 16, heads: 2 }, texts());
  const call = callOf(backend, bert, { batch: textBatch, targets: [0, 1], words, blank: 4 });
  const gradients = await explainByGradients(call);
  assert.deepEqual(gradients.values.map(({ length }) => length), [2, 2]);
  assert.ok(Math.abs(gradients.errors[0].f) > 1e-3 && worst(gradients.errors) < 1e-4, `${worst(gradients.errors)}`);
  const shapley = await explainByShapley(call);
  gradients.errors.forEach(({ sum, f }, example) => {
    const ofWords = gradients.values[example][0] + gradients.values[example][1];
    assert.ok(Math.abs(ofWords - sum) < 1e-6, "special tokens have no part");
    assert.ok(Math.abs(f - shapley.errors[example].f) < 1e-4, "both begin at the text of blanks");
  });
  const rollout = await explainByRollout(call);
  for (const own of rollout.values) assert.ok(own.every((share) => share > 0) && own[0] + own[1] < 1, `${own}`);
  await assert.rejects(
    explainByLrp(call),
    /Cannot explain the model by LRP as its forward pass uses the operation layerNorm/,
  );
  const long = await explainByShapley({ ...call, settings: { ...settings, sets: 4 }, words: call.words!.map(manyOf) });
  assert.deepEqual(long.values.map(({ length }) => length), [14, 14], "more parts than sets");
  assert.ok(worst(long.errors) < 1e-4, `${worst(long.errors)}`);
});

const manyOf = () => Array.from({ length: 14 }, () => ({ text: "x", tokens: [1] }));

/** Each of six tokens looks at itself. */
const identity = (ops: Ops) =>
  ops.tensor(Float32Array.from({ length: 36 }, (_, at) => at % 7 === 0 ? 1 : 0), [1, 1, 6, 6]);

Deno.test("a ViT's attention is that of its patches, without the class token", async () => {
  const backend = await CpuBackend.create();
  const vit = built("vit", { layers: 2, width: 16, heads: 2, patch: 4 }, images(8, 12, 3));
  const { values, patches } = await explainByRollout(
    callOf(backend, vit, { batch: imageBatch(2, [8, 12, 3]), targets: [0, 1] }),
  );
  assert.equal(patches!.count, 6);
  assert.deepEqual([patches!.of[3], patches!.of[4], patches!.of[12 * 4]], [0, 1, 3]);
  // The class token keeps a quarter and more, which is no patch's.
  for (const own of values) assert.ok(own.length === 6 && own.every((share) => share > 0 && share < 0.2), `${own}`);
  const bare = {
    ...vit.model,
    forward: (call: ForwardCall) => ({ ...vit.model.forward(call), attention: [identity(call.ops)] }),
  };
  const call = callOf(backend, { ...vit, model: bare }, { batch: imageBatch(1, [8, 12, 3]), targets: [0] });
  const { values: [own] } = await explainByRollout(call);
  assert.deepEqual([...own], [1, 0, 0, 0, 0, 0]);
  await backend.close();
});

Deno.test("a bag of words is explained by LRP on the embeddings of its tokens", async () => {
  const backend = await CpuBackend.create();
  const input = texts();
  const model = modelOf({ table: [40, 6], hidden: [6, 6], weight: [3, 6] }, ({ ops, batch: { tokens, mask } }, get) => {
    const own = ops.relu(ops.linear(ops.embedding(get("table"), tokens), get("hidden")));
    const seen = ops.multiply(own, ops.reshape(mask, [...mask.shape, 1]));
    return ops.linear(ops.sum(seen, { axes: [1] }), get("weight"));
  });
  const weights = numbersFor(model);
  const call = callOf(backend, { model, input, weights }, {
    batch: textBatch,
    targets: [0, 2],
    words: [[0, 1, 2, 3, 4], [0, 1, 2, 3]].map((places) => places.map((place) => ({ text: "w", tokens: [place] }))),
    blank: 4,
  });
  const { errors, values } = await explainByLrp(call);
  assert.ok(worst(errors) < 1e-5, `${worst(errors)}`);
  assert.ok(values[0].some((value) => Math.abs(value) > 1e-3));
  await backend.close();
});

testBackends("a student in chains and its merged model are explained alike", async (backend) => {
  const { model, input, weights } = built("resnet", { depth: 8, width: 4 }, images(9, 7, 1));
  const ops = createOps(backend);
  const chosen = model.parameters.filter(({ overParameterisable }) => overParameterisable).slice(0, 3);
  const chains = new Map();
  for (const { name, shape } of chosen) {
    const [rows, cols] = [shape[0], shape.slice(1).reduce((a, b) => a * b)];
    const spec = { ...automaticFactors({ rows, cols, cores: 3 }), gauge: "balanced" } as const;
    chains.set(name, heldChain(await decomposeWeight(ops.device, weights.get(name)!, shape, spec), shape));
  }
  const student = new Student(ops, model, chains, weights);
  const [factored, merged] = [student.frozenWeights(), freeze(ops, model, await mergedWeights(student))];
  const call = {
    ops,
    model,
    input,
    words: null,
    blank: null,
    settings,
    batch: imageBatch(2, [9, 7, 1]),
    targets: [1, 3],
  };
  for (const explain of [explainByLrp, explainByGradients, explainByShapley]) {
    const [one, other] = [await explain({ ...call, weights: factored }), await explain({ ...call, weights: merged })];
    one.values.forEach((own, example) => assertClose(own, other.values[example], 1e-4, explain.name));
  }
  factored.dispose();
  merged.dispose();
  student.dispose();
});

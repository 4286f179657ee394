import assert from "node:assert/strict";
import type { AssessCall } from "../../../../core/assess/assessment.ts";
import { explanation } from "../../../../core/assess/explain/explanation.ts";
import type { ShownPictures, ShownTexts } from "../../../../core/assess/shown.ts";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { vocabularyOf } from "../../../../core/model_folder/vocabulary.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import { madeUpSubject, smallNetwork } from "../../../support/subjects.ts";
import { built, texts } from "../../onnx/onnx_models.ts";

const settings = { seed: 1, batchSize: 100, eps: null, epsL2: null, steps: 1, restarts: 1, most: 5 };

/** What the assessment comes to, as JSON has it. */
async function explained(call: Pick<AssessCall, "ops" | "subjects" | "teacher">) {
  const { result, shown } = await explanation.assess({
    ...call,
    settings,
    tokenizer: () => Promise.resolve(null),
    tell: () => {},
  });
  return { result: JSON.parse(JSON.stringify(result)), shown };
}

Deno.test("models are explained side by side, and agree as far as their explanations do", async () => {
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const [teacher, same, other] = [smallNetwork(ops, 3), smallNetwork(ops, 3), smallNetwork(ops, 5)];
  const { result, shown } = await explained({ ops, subjects: [same, other, teacher], teacher });
  assert.equal(result.examples.length, 5);
  assert.equal(result.decidedBy, "network 3");
  const [first, second, third] = result.subjects;
  for (const method of ["lrp", "integratedGradients", "shapley"]) {
    assert.equal(third.methods[method].agreement, null, "the teacher is not held against itself");
    assert.ok(Math.abs(first.methods[method].agreement.mean - 1) < 1e-9);
    assert.ok(second.methods[method].agreement.mean < 0.9, `${method}: ${second.methods[method].agreement.mean}`);
    assert.equal(second.methods[method].agreement.each.length, 5);
    assert.ok(first.methods[method].error < 0.02 * first.methods[method].largest);
  }
  assert.match(first.methods.rollout.refused, /^Cannot roll out the model's attention as it has none$/);
  const pictures = shown.filter((part): part is ShownPictures => part.kind === "pictures");
  assert.equal(pictures.length, 5);
  assert.deepEqual(pictures[0].columns, 4);
  assert.deepEqual(
    pictures[0].pictures.map(({ caption }) => caption).slice(0, 4),
    ["network 3", "LRP", "integrated gradients", "Shapley values"],
  );
  assert.deepEqual((await explained({ ops, subjects: [same, other, teacher], teacher })).result, result);
  for (const subject of [teacher, same, other]) subject[Symbol.dispose]();
  assert.equal(backend.memory().bytes, 0);
  await backend.close();
});

Deno.test("classes are found by their names where models number them in their own way", async () => {
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const one = smallNetwork(ops, 3);
  const turned = [2, 0, 1];
  const numbers = new Map(one.numbers);
  const [weight, bias] = [one.numbers.get("fc.weight")!, one.numbers.get("fc.bias")!];
  numbers.set("fc.weight", Float32Array.from(weight, (_, at) => weight[turned[Math.floor(at / 96)] * 96 + at % 96]));
  numbers.set("fc.bias", bias.map((_, at) => bias[turned[at]]));
  const input = { ...one.input, classes: turned.map((at) => one.input.classes[at]) };
  const other = madeUpSubject(ops, "turned", one.model, numbers, input, one.examples);
  const { result } = await explained({ ops, subjects: [one, other], teacher: null });
  for (const method of ["lrp", "integratedGradients", "shapley"]) {
    assert.ok(result.subjects[1].methods[method].agreement.mean > 1 - 1e-9, method);
  }
  one[Symbol.dispose]();
  other[Symbol.dispose]();
  await backend.close();
});

Deno.test("texts are explained by their words, where those are known", async () => {
  const backend = await CpuBackend.create();
  const ops = createOps(backend);
  const { model, input, weights } = built("bert", { layers: 1, width: 16, heads: 2 }, texts());
  const given = [2, 5, 6, 7, 3];
  const examples = {
    length: 2,
    labels: Int32Array.of(0, 1),
    batch: (indices: Uint32Array) => {
      const whole = (of: (place: number) => number) => ({
        data: Float32Array.from({ length: indices.length * 5 }, (_, at) => of(at % 5)),
        shape: [indices.length, 5],
      });
      return {
        tokens: whole((place) => given[place]),
        types: whole(() => 0),
        mask: whole(() => 1),
        label: { data: Float32Array.from(indices), shape: [indices.length] },
      };
    },
  };
  const unknown = madeUpSubject(ops, "unknown", model, weights, input, examples);
  const vocab = { "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "good": 5, "##ness": 6, "me": 7 };
  const known = { ...unknown, name: "known", vocabulary: vocabularyOf({ model: { type: "WordPiece", vocab } }) };
  const { result, shown } = await explained({ ops, subjects: [known, unknown], teacher: null });
  const { lrp, shapley, rollout } = result.subjects[0].methods;
  assert.match(lrp.refused, /uses the operation layerNorm/);
  assert.ok(shapley.error < 1e-5 && rollout.error === null);
  assert.match(
    result.subjects[1].methods.shapley.refused,
    /no tokenizer\.json in the model's folder lists its tokens$/,
  );
  const [first] = shown.filter((part): part is ShownTexts => part.kind === "texts");
  assert.deepEqual(first.texts[0].pieces.map(({ text }) => text), [" goodness", " me"]);
  assert.equal(Math.max(...first.texts[0].pieces.map(({ weight }) => Math.abs(weight))), 1);
  unknown[Symbol.dispose]();
  await backend.close();
});

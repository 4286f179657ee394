import assert from "node:assert/strict";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { LossDefinition } from "../../../core/plugin/loss.ts";
import type { ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { attentionMse } from "../../../plugins/losses/attention_mse.ts";
import { cosineHidden } from "../../../plugins/losses/cosine_hidden.ts";
import { crf } from "../../../plugins/losses/crf.ts";
import { crossEntropy } from "../../../plugins/losses/cross_entropy.ts";
import { dkd } from "../../../plugins/losses/dkd.ts";
import { hiddenMse } from "../../../plugins/losses/hidden_mse.ts";
import { jensenShannon } from "../../../plugins/losses/jensen_shannon.ts";
import { kd } from "../../../plugins/losses/kd.ts";
import { logitStandardization } from "../../../plugins/losses/logit_standardization.ts";
import { minilm } from "../../../plugins/losses/minilm.ts";
import { mseLogits } from "../../../plugins/losses/mse_logits.ts";
import { patient } from "../../../plugins/losses/patient.ts";
import { relational } from "../../../plugins/losses/relational.ts";
import { similarityPreserving } from "../../../plugins/losses/similarity_preserving.ts";
import { structureMarginals } from "../../../plugins/losses/structure_marginals.ts";
import { structureTopK } from "../../../plugins/losses/structure_top_k.ts";
import { subStructure } from "../../../plugins/losses/sub_structure.ts";
import { gen } from "../../golden/golden.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertLossGradient, lossGradient, lossValue } from "../../support/loss_checks.ts";
import { outputs } from "../../support/losses.ts";
import { assertClose } from "../../support/numbers.ts";
import { taggingSetup } from "./taggers.ts";

const all = [float64, ...backends];

/** Tokens of each text; padded to 4 there is no column of padding alone, and 7 is also the width. */
const lengths = [4, 2, 3];
const [shortest, longer, width] = [4, 7, 7];
const TOKENS = -1;

/**
 * Numbers `[texts, ...shape]`, the same at the tokens whatever texts are padded to, and others at the padding.
 *
 * @param shape with {@link TOKENS} where it is as long as the texts are padded to
 */
function ofTexts(ops: Ops, shape: readonly number[], seed: number, padTo: number): Tensor {
  const padded = [lengths.length, ...shape.map((extent) => extent === TOKENS ? padTo : extent)];
  const data = gen(padded, 100 + seed + padTo).map((x) => 9 * x);
  lengths.forEach((own, text) => {
    const extents = shape.map((extent) => extent === TOKENS ? own : extent);
    const numbers = gen(extents, 10 * seed + text);
    numbers.forEach((value, index) => {
      const at = extents.map((extent, axis) =>
        Math.floor(index / extents.slice(axis + 1).reduce((a, b) => a * b, 1)) % extent
      );
      data[[text, ...at].reduce((sum, place, axis) => sum * padded[axis] + place)] = value;
    });
  });
  return ops.tensor(data, padded);
}

/** Everything that a model of texts gives. */
function model(ops: Ops, seed: number, padTo: number, logits: readonly number[]): ModelOutputs {
  const of = (shape: readonly number[], kind: number) => ofTexts(ops, shape, seed + kind, padTo);
  return outputs(of(logits, 0), {
    features: { embeddings: of([TOKENS, width], 1) },
    hidden: [of([TOKENS, width], 2), of([TOKENS, width], 3)],
    attention: [of([2, TOKENS, TOKENS], 4)],
    scores: [of([2, TOKENS, TOKENS], 5)],
    relations: [{ queries: of([2, TOKENS, 3], 6), keys: of([2, TOKENS, 3], 7), values: of([2, TOKENS, 3], 8) }],
    pooled: of([width], 9),
    transitions: ops.tensor(gen([3, 3], seed + 10), [3, 3]),
  });
}

/** The mask, and labels, of which the first token has none. */
function batchOf(padTo: number) {
  const rows = (of: (place: number, own: number) => number) => ({
    data: lengths.flatMap((own) => Array.from({ length: padTo }, (_, place) => of(place, own))),
    shape: [lengths.length, padTo],
  });
  return {
    mask: rows((place, own) => place < own ? 1 : 0),
    label: rows((place, own) => place > 0 && place < own ? place % 3 : -1),
  };
}

const last = { pairs: [{ student: -1, teacher: -1 }] };
const embeddings = { pairs: [{ student: "embeddings", teacher: "embeddings" }] };
const pooled = { pairs: [{ student: "pooled", teacher: "pooled" }] };
const tags = [TOKENS, 3];

/** Each loss that can read something of a text's tokens. */
const cases: readonly (readonly [LossDefinition, Record<string, unknown>, logits?: readonly number[]])[] = [
  ...[hiddenMse, cosineHidden, similarityPreserving].flatMap((loss) =>
    [last, embeddings, pooled].map((options) => [loss, options] as const)
  ),
  [patient, last],
  [relational, {}],
  [attentionMse, { of: "scores" }],
  [attentionMse, { of: "probabilities" }],
  [minilm, {}],
  ...[crossEntropy, kd, mseLogits, jensenShannon, logitStandardization, dkd, crf].map((loss) => [loss, {}] as const),
  [subStructure, { parts: "emissions" }],
  [subStructure, { parts: "edges" }],
  [subStructure, { parts: "arcs" }, [TOKENS, TOKENS]],
  [structureTopK, {}],
  [structureMarginals, { over: "tags" }],
  [structureMarginals, { over: "sequences" }],
];

for (const [definition, options, logits = tags] of cases) {
  const shown = JSON.stringify(options);
  testBackends(`${definition.name} ${shown} does not change when a batch gets longer padding`, async (backend) => {
    const ops = createOps(backend);
    const valueAt = (padTo: number) => {
      const models = { student: model(ops, 20, padTo, logits), teacher: model(ops, 40, padTo, logits) };
      return lossValue(ops, definition, options, models, { ...taggingSetup(), batch: batchOf(padTo) });
    };
    const value = await valueAt(shortest);
    assert.ok(Math.abs(value) > 1e-3, `it is something: ${value}`);
    assertClose([await valueAt(longer)], [value], backend.precision === "float64" ? 1e-12 : 1e-5);
  }, all);
}

const hiddenModels = (ops: Ops, x: Tensor) => ({
  student: outputs(x, { hidden: [x] }),
  teacher: outputs(x, { hidden: [ofTexts(ops, [TOKENS, width], 43, shortest)] }),
});

for (const definition of [hiddenMse, cosineHidden]) {
  testBackends(`${definition.name} of texts is that of all their tokens in one list`, async (backend) => {
    const ops = createOps(backend);
    const at = async (seed: number) => {
      const numbers = await ofTexts(ops, [TOKENS, width], seed, shortest).read();
      const rows = lengths.flatMap((
        own,
        text,
      ) => [...numbers.slice(text * shortest * width, (text * shortest + own) * width)]);
      const x = ops.tensor(rows, [9, width]);
      return outputs(x, { hidden: [x] });
    };
    const listed = await lossValue(ops, definition, last, { student: await at(23), teacher: await at(43) });
    const models = hiddenModels(ops, ofTexts(ops, [TOKENS, width], 23, shortest));
    const value = await lossValue(ops, definition, last, models, { batch: batchOf(shortest) });
    assertClose([value], [listed], backend.precision === "float64" ? 1e-12 : 1e-5);
  }, all);
}

for (const definition of [hiddenMse, cosineHidden, similarityPreserving]) {
  testBackends(
    `${definition.name}: padding has no gradient, and tokens that of finite differences`,
    async (backend) => {
      const ops = createOps(backend);
      const student = await ofTexts(ops, [TOKENS, width], 23, shortest).read();
      const shape = [lengths.length, shortest, width];
      const call = [backend, definition, last, shape, student, hiddenModels, { batch: batchOf(shortest) }] as const;
      const gradient = await lossGradient(...call);
      lengths.forEach((own, text) => {
        const [first, padding, end] = [0, own, shortest].map((place) => (text * shortest + place) * width);
        assert.ok(gradient.slice(first, padding).some((x) => Math.abs(x) > 1e-4), `text ${text}`);
        assert.ok(gradient.slice(padding, end).every((x) => Math.abs(x) === 0), `padding of text ${text}`);
      });
      if (backend.precision === "float64") await assertLossGradient(...call);
    },
    all,
  );
}

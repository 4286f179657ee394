import assert from "node:assert/strict";
import { evaluateByClass } from "../../../core/distill/confusion.ts";
import { evaluate } from "../../../core/distill/evaluate.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { testBackends } from "../../support/backends.ts";

/** Three classes; the "image" of an example is what the model gives as its logits. */
const logits = [[2, 0, 0], [0, 3, 0], [5, 0, 1], [0, 0, 1], [0, 0, 900]];
const labels = Uint8Array.of(0, 1, 1, 2, 0);

const examples: Examples = {
  length: logits.length,
  labels,
  batch: (indices) => ({
    image: { data: Float32Array.from([...indices].flatMap((index) => logits[index])), shape: [indices.length, 3] },
    label: { data: Float32Array.from(indices, (index) => labels[index]), shape: [indices.length] },
  }),
};

const model: Model = {
  parameters: [],
  config: {},
  fromForeign: () => null,
  forward: ({ batch: { image } }) => ({ logits: image, features: {}, hidden: [], attention: [], pooled: image }),
};

testBackends("the confusion matrix counts, and accuracy and loss are those of evaluate", async (backend) => {
  const ops = createOps(backend);
  const none = weightsFrom(new Map());
  const result = await evaluateByClass(ops, model, none, examples, 2);
  assert.deepEqual(result.confusion, [[1, 0, 1], [1, 1, 0], [0, 0, 1]]);
  assert.equal(result.accuracy, 3 / 5);
  // log(1 + the exponentials of what the label's logit is short of); of the last one the exponential has no float64.
  const short = [[-2, -2], [-3, -3], [5, 1], [-1, -1]];
  const losses = [...short.map((row) => Math.log(1 + Math.exp(row[0]) + Math.exp(row[1]))), 900];
  const expected = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  assert.ok(Math.abs(result.loss - expected) < 1e-6, `${result.loss}, expected ${expected}`);

  const fast = await evaluate(ops, model, none, examples, 2);
  assert.equal(result.accuracy, fast.accuracy);
  assert.ok(Math.abs(result.loss - fast.loss) < 1e-5);
  assert.equal(backend.memory().storages, 0, "nothing is left on the device");
});

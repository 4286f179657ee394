import assert from "node:assert/strict";
import { agreementOf } from "../../../core/evaluate/decisions.ts";
import { evaluate } from "../../../core/evaluate/evaluate.ts";
import { averagePrecision, severalLabelMetrics } from "../../../core/evaluate/metrics/several_labels.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";
import { flagTensors } from "../../../core/plugin/labelled.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { gen } from "../../golden/golden.ts";
import golden from "../../golden/several_labels.json" with { type: "json" };
import { testBackends } from "../../support/backends.ts";
import { textData } from "../../support/inputs.ts";
import { assertClose } from "../../support/numbers.ts";

const assertMetrics = (actual: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>) => {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  assertClose(Object.values(actual), Object.values(expected), 1e-12);
};

Deno.test("mAP, F1 and accuracy of several labels are scikit-learn's, with equal scores, at any threshold", () => {
  const logits = gen([40, 3], 73).map((value) => Math.round(3 * value));
  const data = Float32Array.from(gen([40, 3], 74), (value) => value > 0.2 ? 1 : 0);
  // In two batches, as they are measured.
  const labels = [data.slice(0, 45), data.slice(45)].map((part) => ({ data: part, shape: [part.length / 3, 3] }));
  const parts = [logits.slice(0, 45), logits.slice(45)];
  assertMetrics(severalLabelMetrics(3, labels, parts, 0.5).metrics, golden.metrics);
  assertMetrics(severalLabelMetrics(3, labels, parts, 0.8).metrics, golden["metrics_0.8"]);
});

Deno.test("a class that no example is of has no average precision, and is left out of the mean", () => {
  assert.equal(averagePrecision([3, 2, 1], [false, false, false]), null);
  assert.equal(averagePrecision([3, 2, 1], [false, true, false]), 1 / 2);
  const labels = [{ data: Float32Array.of(1, 0, 0, 0), shape: [2, 2] }];
  const { metrics, counts } = severalLabelMetrics(2, labels, [[1, -1, -1, -1]], 0.5);
  assert.deepEqual([metrics.mAP, metrics.accuracy, metrics.f1Macro, metrics.f1Micro], [1, 1, 1, 1]);
  assert.deepEqual(counts, [{ examples: 1, predicted: 1, correct: 1 }, { examples: 0, predicted: 0, correct: 0 }]);
});

const model: Model = {
  parameters: [],
  config: {},
  fromForeign: () => null,
  forward: ({ batch: { image } }) => ({ logits: image, features: {}, hidden: [], attention: [], pooled: image }),
};

testBackends(
  "a model of several labels is measured on the examples that have labels, and left nothing",
  async (backend) => {
    const logits = gen([8, 3], 70).map((value) => 3 * value);
    const flags = Array.from({ length: 8 }, (_, row) => {
      const own = [...gen([8, 3], 72)].slice(3 * row, 3 * row + 3).map((value) => value > 0.1 ? 1 : 0);
      return row === 2 || row === 5 ? null : Uint8Array.from(own);
    });
    const labelled = Uint8Array.of(1, 1, 0, 1, 1, 0, 1, 1);
    const examples: Examples = {
      length: 8,
      labels: null,
      labelled,
      batch: (indices) => ({
        image: {
          data: Float32Array.from([...indices].flatMap((index) => [...logits.slice(3 * index, 3 * index + 3)])),
          shape: [indices.length, 3],
        },
        ...flagTensors(flags, labelled, indices, 3),
      }),
    };
    const input = textData(["a", "b", "c"], {}, "multi-label");
    const call = {
      model,
      weights: weightsFrom(new Map()),
      examples,
      input,
      batchSize: 3,
      taught: logits.with(0, -0.1),
    };
    const result = await evaluate(createOps(backend), call);
    assert.equal(backend.memory().storages, 0, "nothing is left on the device");
    const { agreement, ...metrics } = result.metrics;
    assertMetrics(metrics, golden.metrics_known);
    assertClose([result.loss!], [golden.loss_known], 1e-5);
    assert.deepEqual([result.labelled, result.confusion, result.positiveClass], [6, null, null]);
    assert.equal(agreement, logits[0] >= 0 ? 23 / 24 : 1);
    const strict = await evaluate(createOps(backend), { ...call, threshold: 0.95, taught: null });
    assert.notEqual(strict.metrics.f1Micro, metrics.f1Micro);
    assert.equal(strict.metrics.mAP, metrics.mAP, "it needs no threshold");
  },
);

Deno.test("agreement about several labels is the part of the decisions that are alike, at the threshold", () => {
  assert.equal(agreementOf("multi-label", [1, -1, 3, -2], [0.1, 0.5, 9, -9]), 3 / 4);
  assert.equal(agreementOf("multi-label", [1, -1, 3, -2], [0.1, 0.5, 9, -9], 0.9), 1);
});

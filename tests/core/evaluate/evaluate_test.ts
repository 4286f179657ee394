import assert from "node:assert/strict";
import { evaluate } from "../../../core/evaluate/evaluate.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Examples, InputDescription } from "../../../core/plugin/dataset.ts";
import type { Model } from "../../../core/plugin/model.ts";
import type { Backend } from "../../../core/backend/backend.ts";
import { textData } from "../../support/inputs.ts";
import { gen } from "../../golden/golden.ts";
import golden from "../../golden/labels.json" with { type: "json" };
import { testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";

/** Examples whose "image" is what the model gives as its logits; each may have several rows of them. */
function examplesOf(logits: readonly (readonly number[])[], labels: readonly number[], shape: readonly number[] = []) {
  const rows = shape.reduce((product, size) => product * size, 1);
  const classes = logits[0].length;
  const part = (values: readonly (readonly number[])[], indices: Uint32Array) =>
    Float32Array.from([...indices].flatMap((index) => values.slice(index * rows, (index + 1) * rows).flat()));
  const examples: Examples = {
    length: labels.length / rows,
    labels: null,
    batch: (indices) => ({
      image: { data: part(logits, indices), shape: [indices.length, ...shape, classes] },
      label: { data: part(labels.map((label) => [label]), indices), shape: [indices.length, ...shape] },
    }),
  };
  return examples;
}

/** The same, some of them without a label. */
function withMarks(examples: Examples, marks: readonly number[]): Examples {
  const labelled = Uint8Array.from(marks);
  return {
    ...examples,
    labelled,
    batch(indices) {
      const data = Float32Array.from(indices, (index) => labelled[index]);
      return { ...examples.batch(indices), labelled: { data, shape: [indices.length] } };
    },
  };
}

const model: Model = {
  parameters: [],
  config: {},
  fromForeign: () => null,
  forward: ({ batch: { image } }) => ({ logits: image, features: {}, hidden: [], attention: [], pooled: image }),
};

async function measure(backend: Backend, examples: Examples, data: InputDescription, of: Model = model) {
  const weights = weightsFrom(new Map());
  const result = await evaluate(createOps(backend), { model: of, weights, examples, input: data, batchSize: 2 });
  assert.equal(backend.memory().storages, 0, "nothing is left on the device");
  return result;
}

testBackends("classification: confusion, accuracy, and the mean cross-entropy", async (backend) => {
  const logits = [[2, 0, 0], [0, 3, 0], [5, 0, 1], [0, 0, 1], [0, 0, 900]];
  const result = await measure(backend, examplesOf(logits, [0, 1, 1, 2, 0]), textData(["a", "b", "c"]));
  assert.deepEqual(result.confusion, [[1, 0, 1], [1, 1, 0], [0, 0, 1]]);
  assert.equal(result.accuracy, 3 / 5);
  const { accuracy, f1Macro, f1Micro } = result.metrics;
  assert.deepEqual([accuracy, f1Macro, f1Micro], [3 / 5, (1 / 2 + 2 / 3 + 2 / 3) / 3, 3 / 5]);
  assert.deepEqual(result.classes!.map(({ label, f1 }) => [label, f1]), [["a", 1 / 2], ["b", 2 / 3], ["c", 2 / 3]]);
  // log(1 + the exponentials of what the label's logit is short of); of the last one the exponential has no float64.
  const short = [[-2, -2], [-3, -3], [5, 1], [-1, -1]];
  const losses = [...short.map((row) => Math.log(1 + Math.exp(row[0]) + Math.exp(row[1]))), 900];
  assertClose([result.loss!], [losses.reduce((sum, loss) => sum + loss, 0) / losses.length], 1e-5);
});

testBackends("two classes are also measured by F1, Matthews' coefficient and AUC", async (backend) => {
  const examples = examplesOf([[1, 0], [0, 9], [0, 1]], [0, 1, 0]);
  const { metrics } = await measure(backend, examples, textData(["a", "b"]));
  const { accuracy, f1, matthews, auc, f1Macro, precision } = metrics;
  assert.deepEqual([accuracy, f1, matthews, auc, f1Macro, precision], [2 / 3, 2 / 3, 0.5, 1, 2 / 3, 1 / 2]);
  // In ranks the scores need not be told from each other by their probabilities, which both are 1 in float32.
  const sure = examplesOf([[0, 200], [0, 300], [0, 100]], [0, 1, -1]);
  const known = await measure(backend, withMarks(sure, [1, 1, 0]), textData(["a", "b"]));
  assert.equal(known.metrics.auc, 1);
});

testBackends("answers, ranks and losses of all batches are read back at once", async (backend) => {
  const ops = createOps(backend);
  let reads = 0;
  const read = backend.read.bind(backend);
  backend.read = (views) => {
    reads++;
    return read(views);
  };
  const examples = examplesOf([[0, Math.log(3)], [Math.log(4), 0], [0, 0]], [1, 1, 0]);
  const weights = weightsFrom(new Map());
  const call = { model, weights, examples, input: textData(["a", "b"]), batchSize: 2, answers: true };
  const { answers, metrics } = await evaluate(ops, call);
  assert.equal(reads, 1);
  assert.deepEqual(answers!.map(({ indices, decided }) => [[...indices], Array.from(decided)]), [[[0, 1], [1, 0]], [
    [2],
    [
      0,
    ],
  ]]);
  assertClose(answers!.flatMap(({ certainty }) => Array.from(certainty!)), [3 / 4, 4 / 5, 1 / 2], 1e-6);
  assert.equal(metrics.auc, 1 / 2, "of the pairs with the third example one is in order and one is not");
  assert.equal(backend.memory().storages, 0);
});

testBackends("regression: correlations and the mean squared error", async (backend) => {
  const result = await measure(backend, examplesOf([[1], [2], [4]], [1, 3, 4]), textData([], {}, "regression"));
  assertClose([result.loss!, result.metrics.spearman, result.metrics.pearson], [1 / 3, 1, 39 / 42], 1e-6);
  assert.equal(result.accuracy, null);
});

testBackends("tagging: tokens labelled -1 do not count", async (backend) => {
  const logits = [[0, 9], [9, 0], [0, 9], [0, 9], [0, 9], [9, 0]];
  const result = await measure(
    backend,
    examplesOf(logits, [1, 0, -1, 0, -1, -1], [3]),
    textData(["x", "y"], {}, "tagging"),
  );
  assert.equal(result.accuracy, 2 / 3);
  const right = Math.log(1 + Math.exp(-9));
  assertClose([result.loss!], [(right + right + 9 + right) / 3], 1e-5);
});

testBackends("the loss of a CRF is that of its chains, by all their paths", async (backend) => {
  const transitions = [0.5, -1, 2, 0.25];
  const chained: Model = {
    ...model,
    forward: (call) => ({ ...model.forward(call), transitions: call.ops.tensor(transitions, [2, 2]) }),
  };
  const logits = [[0.5, 1], [2, -1], [9, 9], [1, 0], [-1, 0.5], [0.25, 3]];
  const labels = [1, 0, -1, 0, -1, 1];
  const minusLogLikelihood = (places: readonly number[]) => {
    const score = (path: readonly number[]) =>
      path.reduce((sum, tag, at) => {
        return sum + logits[places[at]][tag] + (at > 0 ? transitions[2 * path[at - 1] + tag] : 0);
      }, 0);
    const paths = [[0, 0], [0, 1], [1, 0], [1, 1]];
    const whole = Math.log(paths.reduce((sum, path) => sum + Math.exp(score(path)), 0));
    return whole - score(places.map((place) => labels[place]));
  };
  const tags = textData(["x", "y"], {}, "tagging");
  const { loss } = await measure(backend, examplesOf(logits, labels, [3]), tags, chained);
  assertClose([loss!], [(minusLogLikelihood([0, 1]) + minusLogLikelihood([3, 5])) / 4], 1e-5);
});

testBackends("what a model decides itself counts, not its largest logit", async (backend) => {
  const decided: Model = {
    ...model,
    forward: (call) => ({ ...model.forward(call), predictions: call.ops.full([call.batch.label.size], 1) }),
  };
  const result = await measure(backend, examplesOf([[9, 0], [0, 9]], [1, 1]), textData(["a", "b"]), decided);
  assert.equal(result.accuracy, 1);
});

testBackends("tags that mark spans are measured by whole spans", async (backend) => {
  const logits = [[0, 9, 0], [0, 0, 9], [9, 0, 0], [0, 9, 0], [9, 0, 0], [9, 0, 0]];
  const tags = textData(["O", "B-X", "I-X"], {}, "tagging");
  const { metrics } = await measure(backend, examplesOf(logits, [1, 2, 0, 1, 2, -1], [3]), tags);
  const { f1, accuracy, f1Macro, f1Micro } = metrics;
  assert.deepEqual([f1, accuracy, f1Macro, f1Micro], [0.5, 4 / 5, 0.5, 0.5]);
});

testBackends(
  "batches that are too large for the backend are measured in parts, with the same numbers",
  async (backend) => {
    const logits = [[2, 0, 0], [0, 3, 0], [5, 0, 1], [0, 0, 1], [0, 0, 9]];
    const data = textData(["a", "b", "c"]);
    const whole = await measure(backend, examplesOf(logits, [0, 1, 1, 2, 0]), data);
    const { dispatches } = backend.work();
    Object.assign(backend, { mostNumbers: 5 });
    const { loss, ...parts } = await measure(backend, examplesOf(logits, [0, 1, 1, 2, 0]), data);
    const { loss: wholeLoss, ...rest } = whole;
    assert.deepEqual(parts, rest);
    assertClose([loss!], [wholeLoss!], 1e-6);
    assert.ok(backend.work().dispatches > 2 * dispatches, "in parts");
    await assert.rejects(measure(backend, examplesOf([...logits, [NaN, 0, 0]], [0, 1, 1, 2, 0, 1]), data), {
      name: "UserError",
      message: /^Cannot measure the model as its outputs for the examples 5 to 5 are not finite/,
    });
  },
);

testBackends("examples without a label are not scored: scikit-learn's metrics of the others", async (backend) => {
  const logits = gen([8, 3], 60).map((value) => 2 * value);
  const rows = Array.from({ length: 8 }, (_, row) => [...logits.slice(3 * row, 3 * row + 3)]);
  const labels = [0, -1, 2, 1, -1, 0, 2, 1];
  const examples = withMarks(examplesOf(rows, labels), labels.map((label) => label < 0 ? 0 : 1));
  const result = await measure(backend, examples, textData(["a", "b", "c"]));
  const { accuracy, f1Macro, confusion } = golden.metrics;
  assert.deepEqual([result.examples, result.labelled, result.accuracy, result.confusion], [8, 6, accuracy, confusion]);
  assertClose([result.metrics.f1Macro, result.loss!], [f1Macro, golden.cross_entropy.value], 1e-6);
  const numbers = withMarks(examplesOf([[1], [7], [2], [4]], [1, 0, 3, 4]), [1, 0, 1, 1]);
  const regression = await measure(backend, numbers, textData([], {}, "regression"));
  assertClose([regression.loss!, regression.metrics.pearson], [1 / 3, 39 / 42], 1e-6);
  const none = await measure(
    backend,
    withMarks(examplesOf(rows, labels.map(() => -1)), Array(8).fill(0)),
    textData(["a", "b", "c"]),
  );
  assert.deepEqual([none.accuracy, none.loss, none.metrics, none.confusion, none.labelled], [null, null, {}, null, 0]);
});

testBackends(
  "agreement is the part of all examples on which two models decide alike, or their correlation",
  async (backend) => {
    const rows = [[2, 0], [0, 3], [5, 0], [0, 1]];
    const given = { model, weights: weightsFrom(new Map()), batchSize: 3 };
    const examples = withMarks(examplesOf(rows, [0, -1, -1, -1]), [1, 0, 0, 0]);
    const call = { ...given, examples, input: textData(["a", "b"]), taught: [0, 1, 1, 1] };
    const { metrics } = await evaluate(createOps(backend), call);
    assert.deepEqual([metrics.agreement, metrics.accuracy], [3 / 4, 1]);
    const numbers = withMarks(examplesOf([[1], [2], [4]], [0, 0, 0]), [0, 0, 0]);
    const input = textData([], {}, "regression");
    const regression = await evaluate(createOps(backend), { ...given, examples: numbers, input, taught: [1, 3, 4] });
    assertClose([regression.metrics.agreement], [39 / 42], 1e-12);
  },
);

import assert from "node:assert/strict";
import { taughtBy } from "../../../../core/distill/teacher/decisions.ts";
import { labelLoss, softDivergence } from "../../../../core/distill/training/supervision.ts";
import { weightsFrom } from "../../../../core/nn/weights.ts";
import { createOps } from "../../../../core/ops/ops.ts";
import type { Examples } from "../../../../core/plugin/dataset.ts";
import type { Model, ModelOutputs } from "../../../../core/plugin/model.ts";
import { float64, testBackends } from "../../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../../support/numbers.ts";

const softmax = (row: readonly number[]) => {
  const sum = row.reduce((total, x) => total + Math.exp(x), 0);
  return row.map((x) => Math.exp(x) / sum);
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);
const rowsOf = (numbers: ArrayLike<number>, width: number) =>
  Array.from({ length: numbers.length / width }, (_, row) => Array.from(numbers).slice(row * width, (row + 1) * width));

testBackends(
  "labels and soft targets are compared as each task has it, what has no label left out",
  async (backend) => {
    const ops = createOps(backend);
    const [z, r] = [pseudoRandom(1, 18, -2, 2), pseudoRandom(2, 18, -2, 2)];
    const [logits, reference] = [rowsOf(z, 3), rowsOf(r, 3)];
    const T = 1.5;
    const surprise = (row: number, label: number) => -Math.log(softmax(logits[row])[label]);
    const kl = (row: number) => {
      const [p, q] = [reference, logits].map((rows) => softmax(rows[row].map((x) => x / T)));
      return sum(p.map((x, c) => x * Math.log(x / q[c])));
    };
    const both = { reference: ops.tensor(r, [6, 3]), logits: ops.tensor(z, [6, 3]), temperature: T };

    const label = ops.tensor([0, 2, 1, 1, 0, 2]);
    const known = { label, labelled: ops.tensor([1, 0, 1, 0, 0, 1]) };
    const six = [0, 1, 2, 3, 4, 5];
    const labels = [0, 2, 1, 1, 0, 2];
    const mean = (numbers: readonly number[]) => sum(numbers) / numbers.length;
    const value = async (loss: { read(): Promise<ArrayLike<number>> }, expected: number, what: string) =>
      assertClose(await loss.read(), [expected], 1e-12, what);
    await value(
      labelLoss(ops, "classification", both.logits, { label }),
      mean(six.map((i) => surprise(i, labels[i]))),
      "all",
    );
    const some = labelLoss(ops, "classification", both.logits, known);
    await value(some, mean([0, 2, 5].map((i) => surprise(i, labels[i]))), "some");
    await value(softDivergence(ops, "classification", both, known), mean(six.map(kl)), "soft targets of all");

    const tags = { label: ops.tensor([1, -1, 0, -1, -1, 2], [2, 3]) };
    const tagged = { ...both, reference: ops.tensor(r, [2, 3, 3]), logits: ops.tensor(z, [2, 3, 3]) };
    await value(
      labelLoss(ops, "tagging", tagged.logits, tags),
      mean([surprise(0, 1), surprise(2, 0), surprise(5, 2)]),
      "tags",
    );
    await value(softDivergence(ops, "tagging", tagged, tags), mean([0, 2, 5].map(kl)), "soft tags");

    const flags = Array.from(pseudoRandom(3, 18), (x) => x > 0 ? 1 : 0);
    const several = { label: ops.tensor(flags, [6, 3]), labelled: known.labelled };
    const binary = Array.from(z, (x, i) => -Math.log(flags[i] ? sigmoid(x) : sigmoid(-x)));
    await value(
      labelLoss(ops, "multi-label", both.logits, several),
      mean([0, 2, 5].flatMap((row) => rowsOf(binary, 3)[row])),
      "several labels",
    );
    const outcome = (x: number, y: number) => x * Math.log(x / y) + (1 - x) * Math.log((1 - x) / (1 - y));
    const soft = Array.from(z, (x, i) => outcome(sigmoid(r[i] / T), sigmoid(x / T)));
    await value(softDivergence(ops, "multi-label", both, several), mean(soft), "soft targets of several labels");
  },
  [float64],
);

testBackends("what a teacher that learns decides is asked anew each time", async (backend) => {
  const ops = createOps(backend);
  const bias = ops.tensor([1, 0]);
  const model: Model = {
    parameters: [],
    config: {},
    fromForeign: () => null,
    forward: ({ ops, weights, batch }) => {
      const logits = ops.add(ops.scale(batch.image, 0), weights.get("bias"));
      return { logits } as unknown as ModelOutputs;
    },
  };
  const examples: Examples = {
    length: 2,
    labels: null,
    batch: () => ({
      image: { data: new Float32Array(4), shape: [2, 2] },
      label: { data: new Float32Array(2), shape: [2] },
    }),
  };
  const weights = weightsFrom(new Map([["bias", bias]]));
  const decided = async (learns: boolean) => {
    ops.assign(bias, ops.tensor([1, 0]));
    const taught = taughtBy({
      ops,
      teacher: { model, weights, learns },
      task: "classification",
      batchSize: 2,
      always: true,
    });
    taught.know(examples, Float64Array.of(1, 1));
    const first = await taught(examples);
    ops.assign(bias, ops.tensor([0, 1]));
    return [first, await taught(examples)].map((numbers) => Array.from(numbers!));
  };
  assert.deepEqual(await decided(false), [[1, 1], [1, 1]]);
  assert.deepEqual(await decided(true), [[0, 0], [1, 1]]);
});

import assert from "node:assert/strict";
import type { Backend } from "../../../core/backend/backend.ts";
import { clipScale } from "../../../core/nn/optimisers.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose, pseudoRandom } from "../../support/numbers.ts";

/** A loss in one operation, and by its equation from smaller ones. */
interface Pair {
  readonly name: string;
  readonly fused: (ops: Ops, x: Tensor, y: Tensor, labels: Tensor) => Tensor;
  readonly written: (ops: Ops, x: Tensor, y: Tensor, labels: Tensor) => Tensor;
}

const [FACTOR, SMOOTHING] = [1 / 4, 0.1];

const kl = (ops: Ops, logP: Tensor, logQ: Tensor) =>
  ops.sum(ops.multiply(ops.exp(logP), ops.subtract(logP, logQ)), { axes: [-1] });

const pairs: Pair[] = [
  {
    name: "crossEntropy",
    fused: (ops, x, _y, labels) => ops.crossEntropy(x, labels),
    written: (ops, x, _y, labels) => ops.negate(ops.pick(ops.logSoftmax(x), labels)),
  },
  {
    name: "crossEntropy with smoothing",
    fused: (ops, x, _y, labels) => ops.crossEntropy(x, labels, { smoothing: SMOOTHING }),
    written(ops, x, _y, labels) {
      const logs = ops.logSoftmax(x);
      const hard = ops.scale(ops.pick(logs, labels), SMOOTHING - 1);
      return ops.subtract(hard, ops.scale(ops.mean(logs, { axes: [-1] }), SMOOTHING));
    },
  },
  {
    name: "klDivergence",
    fused: (ops, x, y) => ops.klDivergence(y, x, FACTOR),
    written(ops, x, y) {
      const [logQ, logP] = [x, y].map((logits) => ops.logSoftmax(ops.scale(logits, FACTOR)));
      return kl(ops, logP, logQ);
    },
  },
  {
    name: "jensenShannonDivergence",
    fused: (ops, x, y) => ops.jensenShannonDivergence(y, x, FACTOR),
    written(ops, x, y) {
      const logs = [x, y].map((logits) => ops.logSoftmax(ops.scale(logits, FACTOR)));
      const middle = ops.log(ops.scale(ops.add(ops.exp(logs[0]), ops.exp(logs[1])), 1 / 2));
      return ops.scale(ops.add(kl(ops, logs[0], middle), kl(ops, logs[1], middle)), 1 / 2);
    },
  },
];

/** Losses of the rows, and the gradients of their weighted sum by both logits. */
async function evaluate(backend: Backend, loss: Pair["fused"], rows: number, classes: number): Promise<number[][]> {
  const ops = createOps(backend);
  const [x, y] = [1, 2].map((seed) => ops.tensor(pseudoRandom(seed, rows * classes, -5, 5), [rows, classes]));
  const labels = ops.tensor(pseudoRandom(3, rows, 0, classes).map(Math.floor));
  const weights = ops.tensor(pseudoRandom(4, rows, 0.5, 1.5));
  let values: Tensor;
  const { gradients } = ops.differentiate(() => ops.sum(ops.multiply(values = loss(ops, x, y, labels), weights)), [
    x,
    y,
  ]);
  const read = await ops.read([values!, ...gradients.filter((gradient) => gradient !== null)]);
  return read.map((numbers) => [...numbers]);
}

for (const { name, fused, written } of pairs) {
  testBackends(`${name} equals its equation written out, with its gradients`, async (backend) => {
    for (const [rows, classes] of [[1, 2], [5, 3], [67, 10], [3, 129], [2, 1025]]) {
      const [found, wanted] = [
        await evaluate(backend, fused, rows, classes),
        await evaluate(backend, written, rows, classes),
      ];
      assert.equal(found.length, wanted.length);
      found.forEach((numbers, part) => assertClose(numbers, wanted[part], 1e-5, `[${rows}, ${classes}], part ${part}`));
    }
  }, [float64, ...backends]);
}

testBackends("losses of thirty thousand classes, and of logits far from zero, are exact", async (backend) => {
  const ops = createOps(backend);
  const classes = 30_000;
  // Equal logits: each class has 1 / 30000.
  const flat = ops.full([1, classes], -7);
  const values = [
    ops.crossEntropy(flat, ops.tensor([classes - 1]), { smoothing: 0.3 }),
    ops.klDivergence(flat, flat),
    // The second class is ahead by log 3, beside which 10000 must not be seen.
    ops.crossEntropy(ops.tensor([10_000, 10_000, -10_000], [1, 3]), ops.tensor([1])),
    ops.crossEntropy(ops.tensor([0, -1000], [1, 2]), ops.tensor([1])),
    // Each model is sure of another class.
    ops.klDivergence(ops.tensor([0, -1000], [1, 2]), ops.tensor([-1000, 0], [1, 2])),
    ops.jensenShannonDivergence(ops.tensor([900, 0, 0], [1, 3]), ops.tensor([0, 900, -900], [1, 3])),
  ];
  const found = (await ops.read(values)).map(([value]) => value);
  assertClose(found, [Math.log(classes), 0, Math.LN2, 1000, 1000, Math.LN2], 1e-5);
}, [float64, ...backends]);

testBackends("without smoothing a class that is ruled out costs nothing", async (backend) => {
  const ops = createOps(backend);
  const logits = ops.tensor([0, 0, -Infinity], [1, 3]);
  let loss: Tensor;
  const { gradients: [gradient] } = ops.differentiate(
    () => ops.sum(loss = ops.crossEntropy(logits, ops.tensor([1]))),
    [logits],
  );
  const [value, slope] = await ops.read([loss!, gradient!]);
  assertClose([...value, ...slope], [Math.LN2, 0.5, -0.5, 0], 1e-6);
}, [float64, ...backends]);

testBackends("a fused loss is one kernel forward and one for each gradient", (backend) => {
  const ops = createOps(backend);
  const dispatches = (body: () => void) => {
    const before = backend.work().dispatches;
    body();
    return backend.work().dispatches - before;
  };
  const [x, y] = [1, 2].map((seed) => ops.tensor(pseudoRandom(seed, 1), [1, 1]));
  const labels = ops.tensor([0]);
  for (const { name, fused } of pairs) {
    assert.equal(dispatches(() => fused(ops, x, y, labels)), 1, name);
    // The seed of the gradient is one more.
    assert.equal(dispatches(() => ops.differentiate(() => fused(ops, x, y, labels), [x])), 3, name);
  }
  // Ten pairs: as many kernels each way, a sum and the seed.
  const [ours, theirs] = [1, 2].map((seed) => Array.from({ length: 10 }, () => ops.tensor(pseudoRandom(seed, 33))));
  const weights = ours.map(() => 0.1);
  const alignment = () => ops.weightedSquaredDifferences(ours, theirs, weights);
  const sums = backend.traits?.software ? 2 : 1; // where a thread sums alone, 640 parts are summed in chunks first
  assert.equal(dispatches(() => ops.differentiate(alignment, ours)), 10 + sums + 1 + 10);
  assert.equal(dispatches(() => clipScale(ops, ours.slice(0, 2), 1)), 2 + 1 + 1);
});

testBackends("the clipped norm is that of all tensors together, however many numbers they have", async (backend) => {
  const ops = createOps(backend);
  for (const sizes of [[1], [63, 65], [70_000, 3], [1024, 1025, 5]]) {
    const data = sizes.map((size, index) => pseudoRandom(index, size));
    const norm = Math.sqrt(data.flatMap((numbers) => [...numbers]).reduce((sum, x) => sum + x * x, 0));
    for (const [bound, wanted] of [[norm / 3, 1 / 3], [norm * 2, 1]]) {
      const found = await clipScale(ops, data.map((numbers) => ops.tensor(numbers)), bound).read();
      assertClose([...found], [wanted], 1e-5, `${sizes}`);
    }
  }
}, [float64, ...backends]);

Deno.test("fused losses refuse shapes that do not fit", async () => {
  const backend = await float64.open();
  const ops = createOps(backend);
  const [a, b] = [ops.full([2, 3], 0), ops.full([3, 2], 0)];
  const refuses = (body: () => Tensor, message: string) => assert.throws(body, new RangeError(message));
  refuses(
    () => ops.crossEntropy(a, ops.tensor([0, 1, 2])),
    "Cannot compare logits [2, 3] with labels [3]: expected [..., classes] and [...]",
  );
  refuses(
    () => ops.klDivergence(a, b),
    "Cannot compare distributions [2, 3] and [3, 2]: expected two of one shape [..., classes]",
  );
  refuses(() => ops.klDivergence(a, a, 0), "Cannot multiply logits by 0: expected a number above 0");
  refuses(
    () => ops.crossEntropy(a, ops.tensor([0, 1]), { smoothing: 1 }),
    "Cannot smooth labels by 1: expected a number from 0 to below 1",
  );
  refuses(
    () => ops.weightedSquaredDifferences([a], [b], [1]),
    "Cannot compare tensors of shape [2, 3] and [3, 2] (pair 0): the shapes must be equal",
  );
  refuses(
    () => ops.weightedSquaredDifferences([], [], []),
    "Cannot pair 0 tensors with 0 and 0 weights: expected as many of each, and one at least",
  );
  for (const indices of [[2, 3], [2, 0], [3, 1]]) {
    refuses(
      () => ops.pickWithRest(a, ops.full(indices, 0)),
      `Cannot pick from [2, 3] by indices of shape [${
        indices.join(", ")
      }]: expected [..., columns] and [..., fewer than ` +
        "columns]",
    );
  }
  refuses(() => ops.pickWithRest(a, ops.full([2, 1], 0), 0), "Cannot multiply logits by 0: expected a number above 0");
  await backend.close();
});

import assert from "node:assert/strict";
import { overExamples } from "../../../core/evaluate/over_examples.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";
import { backends, cpu, testBackends } from "../../support/backends.ts";

/** Five examples `x [2]` of the numbers 10 i and 10 i + 1. */
const examples: Examples = {
  length: 5,
  labels: null,
  batch: (indices) => {
    const data = Float32Array.from([...indices].flatMap((index) => [10 * index, 10 * index + 1]));
    return { x: { data, shape: [indices.length, 2] } };
  },
};

testBackends(
  "numbers of all examples come in their order, whatever the batches, and nothing stays",
  async (backend) => {
    const ops = createOps(backend);
    for (const batchSize of [1, 2, 5, 9]) {
      const numbers = await overExamples(ops, examples, batchSize, ({ x }) => {
        return new Map([["twice", ops.scale(x, 2)], ["sum", ops.sum(x, { axes: [1] })], ["itself", x]]);
      });
      assert.deepEqual(numbers.get("twice"), {
        shape: [5, 2],
        data: Float32Array.of(0, 2, 20, 22, 40, 42, 60, 62, 80, 82),
      });
      assert.deepEqual(numbers.get("sum"), { shape: [5], data: Float32Array.of(1, 21, 41, 61, 81) });
      assert.deepEqual(numbers.get("itself")!.data, Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31, 40, 41));
      assert.equal(backend.memory().storages, 0);
    }
  },
  backends,
);

testBackends("outputs whose shape changes from batch to batch are refused", async (backend) => {
  const ops = createOps(backend);
  await assert.rejects(
    overExamples(ops, examples, 3, ({ x }) => new Map([["hidden.0", ops.full([x.shape[0], x.shape[0]], 0)]])),
    {
      name: "UserError",
      message: "Cannot collect the teacher's hidden.0 over all examples as its shape changes from batch to batch: " +
        "[5, 3] and [5, 2]",
    },
  );
}, [cpu]);

import assert from "node:assert/strict";
import { TensorTooLarge } from "../../../core/errors.ts";
import { computeBatches } from "../../../core/evaluate/compute_batches.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";

const batches = [Uint32Array.of(0, 1, 2, 3, 4), Uint32Array.of(5, 6, 7), Uint32Array.of(8)];
const tooLarge = () => new TensorTooLarge({ mostNumbers: 1, description: "test" }, [2]);
const examples: Examples = { length: 9, labels: null, batch: () => ({}) };

Deno.test("batches that are too large are computed in halves, each example once and in order", async () => {
  const asked: number[] = [];
  const fetched: number[][] = [];
  const fetch = (indices: Uint32Array) => {
    assert.equal(asked.length === 0, indices[0] === 0, "before anything is computed of them");
    fetched.push([...indices]);
    return Promise.resolve();
  };
  const computed = computeBatches({ ...examples, fetch }, batches, (indices) => {
    asked.push(indices.length);
    if (indices.length > 2) throw tooLarge();
    return indices[0];
  });
  const parts = [];
  for await (const { indices, result } of computed) parts.push([result, [...indices]]);
  assert.deepEqual(parts, [[0, [0, 1]], [2, [2, 3]], [4, [4]], [5, [5, 6]], [7, [7]], [8, [8]]]);
  assert.deepEqual(asked, [5, 3, 2, 2, 1, 2, 1, 1], "later batches are not tried whole");
  assert.deepEqual(fetched, batches.map((batch) => [...batch]), "each batch is fetched once");
});

Deno.test("one example that is too large, and any other error, end it", async () => {
  const ends = (error: Error) =>
    Array.fromAsync(computeBatches(examples, batches, () => {
      throw error;
    }));
  await assert.rejects(ends(tooLarge()), { name: "UserError" });
  await assert.rejects(ends(new RangeError("other")), { message: "other" });
});

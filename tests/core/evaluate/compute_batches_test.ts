import assert from "node:assert/strict";
import { TensorTooLarge } from "../../../core/errors.ts";
import { computeBatches } from "../../../core/evaluate/compute_batches.ts";

const batches = [Uint32Array.of(0, 1, 2, 3, 4), Uint32Array.of(5, 6, 7), Uint32Array.of(8)];
const tooLarge = () => new TensorTooLarge({ mostNumbers: 1, description: "test" }, [2]);

Deno.test("batches that are too large are computed in halves, each example once and in order", () => {
  const asked: number[] = [];
  const computed = computeBatches(batches, (indices) => {
    asked.push(indices.length);
    if (indices.length > 2) throw tooLarge();
    return indices[0];
  });
  const parts = [...computed].map(({ indices, result }) => [result, [...indices]]);
  assert.deepEqual(parts, [[0, [0, 1]], [2, [2, 3]], [4, [4]], [5, [5, 6]], [7, [7]], [8, [8]]]);
  assert.deepEqual(asked, [5, 3, 2, 2, 1, 2, 1, 1], "later batches are not tried whole");
});

Deno.test("one example that is too large, and any other error, end it", () => {
  assert.throws(() => [...computeBatches(batches, () => {
    throw tooLarge();
  })], { name: "UserError" });
  assert.throws(() => [...computeBatches(batches, () => {
    throw new RangeError("other");
  })], { message: "other" });
});

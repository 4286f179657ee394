import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { examplesIn } from "../../../core/onnx/probe.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";

/** Examples that say their places. */
const numbered = (length: number): Examples => ({
  length,
  labels: null,
  batch: (indices) => ({ image: { data: Float32Array.from(indices), shape: [indices.length] } }),
});

const chosen = async (length: number, count: number) =>
  (await examplesIn(numbered(length), count)).map(({ image }) => [...image.data]);

Deno.test("an export is tried on examples from all over a data set, which may be in the order of its classes", async () => {
  const batches = await chosen(1000, 100);
  assert.deepEqual(batches.flat(), Array.from({ length: 100 }, (_, index) => 10 * index));
  assert.deepEqual(batches.map(({ length }) => length), [32, 32, 32, 4]);
  assert.deepEqual(await chosen(5, 256), [[0, 1, 2, 3], [4]]);
  assert.deepEqual(await chosen(1, 256), [[0]]);
});

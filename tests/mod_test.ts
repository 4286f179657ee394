import assert from "node:assert/strict";
import { coreTensors, createOps, decomposeMatrix, mergeChain, openBackend } from "../mod.ts";

// The second example of mod.ts, on the backend that is always there.
Deno.test("a matrix decomposed and contracted through the public API is the matrix again", async () => {
  const { backend } = await openBackend("cpu");
  try {
    const ops = createOps(backend);
    const matrix = Float32Array.from({ length: 12 * 12 }, Math.random);
    const { chain } = await decomposeMatrix(matrix, 12, 12, { rows: [4, 1, 3], cols: [4, 1, 3] });
    const merged = mergeChain(ops, coreTensors(ops, chain), chain.rows, chain.cols);

    assert.deepEqual(chain.bonds, [1, 9, 9, 1]); // min(4 * 4, 3 * 3), by Eq. 3
    assert.deepEqual(merged.shape, [12, 12]);
    const numbers = await merged.read();
    matrix.forEach((entry, place) =>
      assert.ok(Math.abs(numbers[place] - entry) < 1e-5, `${numbers[place]} at ${place}`)
    );
  } finally {
    await backend.close();
  }
});

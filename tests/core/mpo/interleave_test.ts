import assert from "node:assert/strict";
import { deinterleave, interleave } from "../../../core/mpo/interleave.ts";
import { FACTORS, randomFor } from "./chains.ts";

Deno.test("interleaving pairs the factors of the rows with those of the columns", () => {
  // W[i, j] with i = 3 i1 + i2 and j = 2 j1 + j2, written as 10 i + j; the result runs over i1, j1, i2, j2.
  const matrix = Float64Array.from({ length: 24 }, (_, place) => 10 * Math.floor(place / 4) + place % 4);
  const expected: number[] = [];
  for (const i1 of [0, 1]) {
    for (const j1 of [0, 1]) {
      for (const i2 of [0, 1, 2]) for (const j2 of [0, 1]) expected.push(10 * (3 * i1 + i2) + 2 * j1 + j2);
    }
  }
  assert.deepEqual([...interleave(matrix, { rows: [2, 3], cols: [2, 2] })], expected);
});

Deno.test("deinterleaving undoes it", () => {
  for (const factors of FACTORS) {
    const { values } = randomFor(factors, 1);
    assert.deepEqual(deinterleave(interleave(values, factors), factors), values);
  }
});

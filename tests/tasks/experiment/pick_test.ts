import assert from "node:assert/strict";
import { pickSmallest } from "../../../tasks/experiment/pick.ts";

const points = (numbers: readonly (readonly [rate: number, score: number])[], first = 2) =>
  numbers.map(([increaseRate, score], index) => ({ name: `n = ${first + index}`, increaseRate, score }));

// Read from Fig. 2a of arXiv 2411.06448: F1 on MRPC by parameters in training over those at inference.
const lgtm = points([[1.357, 86.5], [1.714, 86.8], [2.07, 87.6], [2.43, 87.8], [2.78, 87.8], [3.14, 87.85]]);
const dbkd = points([[1.38, 87.3], [1.53, 87.6], [1.6, 87.9], [1.68, 88.36], [2.5, 88.45], [3, 88.46]]);

Deno.test("of the paper's Fig. 2a LGTM's n = 5 (2.43 times) and DBKD's 1.68 times are picked within 0.15", () => {
  const { point, reason } = pickSmallest(lgtm, 0.15);
  assert.deepEqual([point.name, point.increaseRate], ["n = 5", 2.43]);
  assert.equal(
    reason,
    "n = 5 (2.43 times the parameters) is picked: the smallest within 0.15 of the best on validation (87.80 to 87.85 " +
      "of n = 7 with 3.14 times)",
  );
  assert.equal(pickSmallest(dbkd, 0.15).point.increaseRate, 1.68);
  assert.equal(pickSmallest(dbkd.toReversed(), 0.15).point.increaseRate, 1.68);
});

Deno.test("tolerance 0 picks the best, a large one the smallest; the bound itself is within", () => {
  const best = pickSmallest(lgtm, 0);
  assert.equal(best.point.increaseRate, 3.14);
  assert.match(best.reason, /: the best on validation \(87\.85\), and nothing smaller is within 0 of it$/);
  assert.equal(pickSmallest(lgtm, 5).point.increaseRate, 1.357);
  assert.equal(pickSmallest(points([[1, 87.7], [2, 87.85]]), 0.15).point.increaseRate, 1);
  assert.throws(() => pickSmallest([], 1), RangeError);
});

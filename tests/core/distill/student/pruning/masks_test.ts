import assert from "node:assert/strict";
import type { MaskPlan } from "../../../../../core/distill/student/pruning/mask_plan.ts";
import { maskChanges, masksOf } from "../../../../../core/distill/student/pruning/masks.ts";
import { smallest } from "../../../../../core/distill/student/pruning/smallest.ts";
import { Random } from "../../../../../core/data/random.ts";

const plan = (shapes: Record<string, readonly number[]>, settings: Partial<MaskPlan> = {}): MaskPlan => ({
  weights: new Map(Object.entries(shapes)),
  method: "magnitude",
  groups: null,
  channels: null,
  byLayer: false,
  amount: 0.5,
  schedule: "cubic",
  over: 0.5,
  ...settings,
});

const masks = (plan: MaskPlan, share: number, scores: Record<string, readonly number[]>) => {
  const floats = Object.entries(scores).map(([name, values]) => [name, Float32Array.from(values)] as const);
  return Object.fromEntries([...masksOf(plan, share, new Map(floats))].map(([name, mask]) => [name, [...mask]]));
};

Deno.test("the smallest of numbers are those of a sort, of equal ones the first, and NaN is never one", () => {
  assert.deepEqual([...smallest(Float32Array.of(3, -1, NaN, 0.5, -Infinity), 3)], [0, 1, 0, 1, 1]);
  assert.deepEqual([...smallest(Float32Array.of(1, 0, -0, 0, 1), 2)], [0, 1, 1, 0, 0]);
  assert.deepEqual([...smallest(Float32Array.of(2, 1), 0)], [0, 0]);
  assert.deepEqual([...smallest(Float32Array.of(2, NaN), 2)], [1, 1]);
  const random = new Random(1);
  const values = Float32Array.from({ length: 1000 }, () => Math.fround(Math.round(40 * random.normal()) / 7));
  for (const count of [0, 1, 2, 499, 500, 998, 999, 1000]) {
    const order = [...values.keys()].sort((a, b) => values[a] - values[b] || a - b).slice(0, count);
    const places = [...smallest(values, count)].flatMap((goes, place) => goes ? [place] : []);
    assert.deepEqual(places, order.sort((a, b) => a - b), `${count}`);
  }
});

Deno.test("a share of all weights goes together, or of each matrix, and the counts are exact", () => {
  const scores = { a: [1, 2, 3], b: [4, 5, 6, 7] };
  const shapes = { a: [1, 3], b: [2, 2] };
  assert.deepEqual(masks(plan(shapes), 0.5, scores), { a: [0, 0, 0], b: [0, 1, 1, 1] }); // round(3.5) = 4
  // By layer round(1.5) = 2 of the first and 4 - 2 of the second.
  assert.deepEqual(masks(plan(shapes, { byLayer: true }), 0.5, scores), { a: [0, 0, 1], b: [0, 0, 1, 1] });
  for (const byLayer of [false, true]) {
    assert.deepEqual(masks(plan(shapes, { byLayer }), 0, scores), { a: [1, 1, 1], b: [1, 1, 1, 1] });
    assert.deepEqual(masks(plan(shapes, { byLayer }), 1, scores), { a: [0, 0, 0], b: [0, 0, 0, 0] });
    for (let share = 0; share <= 1; share += 1 / 16) {
      const zeros = Object.values(masks(plan(shapes, { byLayer }), share, scores)).flat().filter((x) => x === 0).length;
      assert.equal(zeros, Math.round(share * 7), `${share}`);
    }
  }
});

Deno.test("2:4 leaves two of every four along the inputs, of a filter at each of its places", () => {
  const groups = { kept: 2, of: 4 };
  const row = [1, 5, 2, 4, 9, 9, 9, 0];
  assert.deepEqual(masks(plan({ a: [1, 8] }, { groups }), 0.5, { a: row }).a, [0, 1, 0, 1, 0, 1, 1, 0]);
  // [outputs, inputs, height, width] = [1, 4, 1, 2]: two groups, interleaved.
  const filter = masks(plan({ a: [1, 4, 1, 2] }, { groups }), 0.5, { a: [1, 8, 2, 7, 3, 6, 4, 5] }).a;
  assert.deepEqual(filter, [0, 1, 0, 1, 1, 0, 1, 0]);
  // On the way there one of four.
  assert.deepEqual(masks(plan({ a: [1, 4] }, { groups }), 0.3, { a: [3, 2, 1, 4] }).a, [1, 1, 0, 1]);
});

Deno.test("masks change along Zhu and Gupta's cubic, or once", () => {
  const changes = maskChanges({ amount: 0.8, schedule: "cubic", over: 0.5 }, 8);
  assert.deepEqual([...changes.keys()], [1, 2, 3, 4]);
  // s (1 - (1 - t)^3) at t = 1/4, 1/2, 3/4, 1.
  const expected = [0.4625, 0.7, 0.7875, 0.8];
  [...changes.values()].forEach((share, index) => assert.ok(Math.abs(share - expected[index]) < 1e-12, `${share}`));
  assert.equal(maskChanges({ amount: 0.3, schedule: "cubic", over: 1 }, 1000).size, 32);
  assert.deepEqual([...maskChanges({ amount: 0.3, schedule: "cubic", over: 1 }, 1000)].at(-1), [1000, 0.3]);
  assert.deepEqual([...maskChanges({ amount: 0.3, schedule: "cubic", over: 0.01 }, 10)], [[1, 0.3]]);
  assert.deepEqual([...maskChanges({ amount: 0.3, schedule: "once", over: 0 }, 10)], [[0, 0.3]]);
  assert.deepEqual([...maskChanges({ amount: 0.3, schedule: "once", over: 0.5 }, 10)], [[5, 0.3]]);
});

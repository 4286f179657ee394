import assert from "node:assert/strict";
import { type Need, planMemory } from "../../../core/replay/plan_memory.ts";
import { pseudoRandom } from "../../support/numbers.ts";

const need = (length: number, first: number, last: number): Need => ({ length, first, last });

Deno.test("a row of results, each made from the one before, takes two blocks in turn", () => {
  const needs = [need(10, 0, 1), need(10, 1, 2), need(10, 2, 3), need(10, 3, 4)];
  assert.deepEqual(planMemory(needs), { places: [0, 1, 0, 1], blocks: [10, 10] });
});

Deno.test("what is read and what is written in one call do not share a block", () => {
  assert.deepEqual(planMemory([need(4, 0, 3), need(4, 3, 5)]).places, [0, 1]);
  assert.deepEqual(planMemory([need(4, 0, 3), need(4, 4, 5)]).places, [0, 0]);
});

Deno.test("a small need takes the smallest block that is free", () => {
  const { places, blocks } = planMemory([need(100, 0, 1), need(20, 0, 1), need(10, 2, 3), need(60, 2, 3)]);
  assert.deepEqual(blocks, [100, 20]);
  assert.deepEqual(places, [0, 1, 1, 0]);
});

Deno.test("blocks that are there already are used first, and never made longer", () => {
  assert.deepEqual(planMemory([need(8, 0, 1), need(30, 0, 2)], [16, 9]), { places: [1, 2], blocks: [16, 9, 30] });
});

Deno.test("no two needs of one block overlap, and every block is long enough", () => {
  const [starts, spans, sizes] = [1, 2, 3].map((seed) => pseudoRandom(seed, 200, 0, 50));
  const needs = Array.from(
    starts,
    (start, i) => need(Math.ceil(sizes[i]), Math.floor(start), Math.ceil(start + spans[i])),
  );
  const { places, blocks } = planMemory(needs);
  needs.forEach((a, i) => {
    assert.ok(blocks[places[i]] >= a.length);
    needs.forEach((b, j) => assert.ok(i === j || places[i] !== places[j] || a.last < b.first || b.last < a.first));
  });
  const total = needs.reduce((sum, { length }) => sum + length, 0);
  const most = Math.max(
    ...Array.from(
      { length: 101 },
      (_, time) =>
        needs.reduce((sum, { length, first, last }) => first <= time && time <= last ? sum + length : sum, 0),
    ),
  );
  const planned = blocks.reduce((sum, length) => sum + length, 0);
  assert.ok(most <= planned && planned < 0.7 * total, `${most} at once, ${planned} planned, ${total} in all`);
});

import assert from "node:assert/strict";
import { z } from "zod";
import { scheduled, valueAt } from "../../../core/recipe/scheduled.ts";

const at = (step: number) => ({ step, totalSteps: 100, stepsPerEpoch: 10 });
const change = { from: 8, to: 2, schedule: "linear", epochs: null, steps: null } as const;

Deno.test("a plain number is the same at each step", () => {
  assert.equal(valueAt(4, at(0)), 4);
  assert.equal(valueAt(4, at(99)), 4);
});

Deno.test("a change without a length takes the whole training", () => {
  assert.deepEqual([0, 50, 100].map((step) => valueAt(change, at(step))), [8, 5, 2]);
});

Deno.test("a change in epochs or steps ends there and keeps its last value", () => {
  assert.deepEqual([0, 10, 20, 90].map((step) => valueAt({ ...change, epochs: 2 }, at(step))), [8, 5, 2, 2]);
  assert.deepEqual([0, 10, 40, 90].map((step) => valueAt({ ...change, steps: 40 }, at(step))), [8, 6.5, 2, 2]);
});

Deno.test("a step changes once, at its end", () => {
  const step = { ...change, schedule: "step", epochs: 3 } as const;
  assert.deepEqual([0, 29, 30, 31].map((n) => valueAt(step, at(n))), [8, 8, 2, 2]);
});

Deno.test("a cosine is half-way at half its length", () => {
  assert.ok(Math.abs(valueAt({ ...change, schedule: "cosine" }, at(50)) - 5) < 1e-12);
});

Deno.test("the schema fills in the defaults of a change and bounds both of its ends", () => {
  const temperature = scheduled(z.number().positive());
  assert.equal(temperature.parse(4), 4);
  assert.deepEqual(temperature.parse({ from: 8, to: 2 }), change);
  assert.equal(temperature.safeParse(0).success, false);
  assert.equal(temperature.safeParse({ from: 8, to: 0 }).success, false);
  assert.equal(temperature.safeParse({ from: 8, to: 2, epochs: 1, steps: 10 }).success, false);
});

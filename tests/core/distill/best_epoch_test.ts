import assert from "node:assert/strict";
import { type Best, type Monitor, updateBest } from "../../../core/distill/best_epoch.ts";

/** The best after each epoch of a scripted metric. */
const follow = (monitor: Monitor, values: readonly number[], minDelta = 0) =>
  values.reduce<Best[]>(
    (seen, value, i) => [...seen, updateBest(seen.at(-1) ?? null, monitor, value, i + 1, minDelta)],
    [],
  );

Deno.test("the best epoch of an accuracy is the highest, of a loss the lowest, the first of equals", () => {
  assert.deepEqual(follow("validation.accuracy", [0.5, 0.7, 0.7, 0.6]).at(-1), { value: 0.7, epoch: 2, waited: 2 });
  assert.deepEqual(follow("validation.loss", [0.5, 0.3, 0.3, 0.4]).at(-1), { value: 0.3, epoch: 2, waited: 2 });
});

Deno.test("an improvement below minDelta is none", () => {
  assert.deepEqual(follow("validation.loss", [1, 0.95, 0.8], 0.1).map(({ epoch }) => epoch), [1, 1, 3]);
});

Deno.test("a first epoch without a finite value does not stay the best", () => {
  assert.equal(follow("validation.loss", [NaN, 2]).at(-1)!.epoch, 2);
});

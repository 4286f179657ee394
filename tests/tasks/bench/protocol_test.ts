import assert from "node:assert/strict";
import { type Engine, measure } from "../../../tasks/bench/protocol.ts";
import { median } from "../../../tasks/support/median.ts";
import { expectedLosses } from "../../../tasks/bench/workload.ts";

/** An engine that computes nothing but has these losses, the last one for ever. */
function engineWith(losses: number[], started: () => void = () => {}): Engine {
  return {
    name: "fake",
    version: "1",
    start: {
      resnet8() {
        started();
        let step = -1;
        return {
          step: () => void step++,
          sync: () => Promise.resolve(losses[Math.min(step, losses.length - 1)]),
        };
      },
    },
  };
}

Deno.test("an engine with the right losses is timed, and starts once", async () => {
  let starts = 0;
  const result = await measure(engineWith([...expectedLosses, 1], () => starts++), "resnet8", 4);
  assert.equal(starts, 1);
  assert.equal(result.seconds.length, 4);
  // Three steps alone, then one sample to warm up and four of several, since a step of this engine takes no time.
  const many = result.stepsPerSample;
  assert.ok(many > 1 && many <= 32, `${many} steps a sample`);
  const samples = [1, 2, 3, 4, 5].map((sample) => 2 + sample * many);
  assert.deepEqual(result.values.map(([step]) => step), [0, 1, 2, ...samples]);
});

Deno.test("an engine that computes something else is refused", async () => {
  const [first, second, third] = expectedLosses;
  const wrong: [number[], RegExp][] = [
    [[first + 0.01, second, third, 1], /Wrong loss at step 0/],
    [[first, second, second, 1], /Wrong loss at step 2/],
    [[NaN], /Wrong loss at step 0: NaN/],
    [[first, second, third, 5], /the loss went from/],
  ];
  for (const [losses, message] of wrong) await assert.rejects(measure(engineWith(losses), "resnet8", 1), message);
});

Deno.test("a case that an engine does not have is refused by name", async () => {
  await assert.rejects(measure(engineWith([1]), "matmul", 1), /Cannot run matmul on fake: it has resnet8/);
});

Deno.test("a wrong product and a bad decomposition are refused", async () => {
  const constant = { step: () => {}, sync: () => Promise.resolve(0), error: () => 1e-3 };
  const engine: Engine = { name: "fake", version: "1", start: { matmul: () => constant, decompose: () => constant } };
  await assert.rejects(measure(engine, "matmul", 1), /Wrong product: entry \[0, 0\] is 0, not -0\.50831/);
  await assert.rejects(measure(engine, "decompose", 1), /reconstruction error is 0\.001/);
  const exact: Engine = { ...engine, start: { decompose: () => ({ ...constant, error: () => 0 }) } };
  await assert.rejects(measure(exact, "decompose", 1), /largest singular value is 0, not 32\.2467/);
});

Deno.test("the median is the middle, or the mean of the two middles", () => {
  assert.equal(median([5, 1, 9]), 5);
  assert.equal(median([10, 1, 2, 4]), 3);
});

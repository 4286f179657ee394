import assert from "node:assert/strict";
import { z } from "zod";
import { collect } from "../../../tasks/bench/collect.ts";
import { unavailable } from "../../../tasks/bench/engines.ts";

const schema = z.object({ value: z.number() });
const script = (code: string) => [Deno.execPath(), "eval", code];
const run = (...commands: string[][]) => collect(commands, schema, 30);

Deno.test("the last line of a program is its result, whatever it printed before", async () => {
  assert.deepEqual(await run(script(`console.log("loading"); console.log('{"value": 3}')`)), { result: { value: 3 } });
});

Deno.test("a program that fails gives its error in one line", async () => {
  const outcome = await run(script(`console.error("warning"); throw new Error("No adapter")`));
  assert.deepEqual(outcome, { reason: "Error: No adapter" });
});

Deno.test("output that is not what was agreed is a reason", async () => {
  const text = await run(script(`console.log("done")`));
  assert.deepEqual(text, { reason: 'its output is not JSON: "done"' });
  const other = await run(script(`console.log('{"value": "3"}')`));
  assert.match("reason" in other ? other.reason : "", /^its output is wrong: .*expected number/);
});

Deno.test("a program that is not there, or says it is not available, leaves the work to the next", async () => {
  const absent = ["no-such-program-anywhere"];
  const without = script(`console.error("No library"); Deno.exit(${unavailable})`);
  const good = script(`console.log('{"value": 1}')`);
  assert.deepEqual(await run(absent, without, good), { result: { value: 1 } });
  assert.deepEqual(await run(absent, without), { reason: "No library" });
  const outcome = await run(absent);
  assert.match("reason" in outcome ? outcome.reason : "", /^no-such-program-anywhere cannot be started/);
});

Deno.test("a program that fails is not tried again elsewhere", async () => {
  assert.deepEqual(await run(script(`throw new Error("wrong")`), script(`console.log('{"value": 1}')`)), {
    reason: "Error: wrong",
  });
});

Deno.test("a program that does not end is ended", async () => {
  const outcome = await collect([script("setInterval(() => {}, 1000)")], schema, 0.2);
  assert.deepEqual(outcome, { reason: "it took longer than 0.2 s" });
});

import assert from "node:assert/strict";
import { counted, duration, grouped, percent, scientific } from "../../../tasks/support/format.ts";

Deno.test("numbers are written for people", () => {
  assert.equal(grouped(272474), "272,474");
  assert.equal(percent(0.874), "87.40 %");
  assert.equal(scientific(3.84e-6), "3.8e-6");
  assert.equal(scientific(0), "0");
  assert.equal(counted(1, "example"), "1 example");
  assert.equal(counted(2000, "example"), "2,000 examples");
});

Deno.test("a duration has hours only when there are any, and is never negative", () => {
  const cases: [number, string][] = [
    [0, "0:00"],
    [6.6, "0:07"],
    [59.7, "1:00"],
    [750, "12:30"],
    [3723, "1:02:03"],
    [-1, "0:00"],
    [NaN, "?"],
    [Infinity, "?"],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
});

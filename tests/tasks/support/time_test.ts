import assert from "node:assert/strict";
import { exactTime, secondsIn, showTime } from "../../../tasks/support/time.ts";

Deno.test("a time has its units, from the longest, and comes back as it is read", () => {
  const read = ["90s", "30m", "1h30m", "0.5h", ".5m", "1h1m1s", " 2h "].map(secondsIn);
  assert.deepEqual(read, [90, 1800, 5400, 1800, 30, 3661, 7200]);
  for (const text of ["30", "", "0s", "m", "30 m", "1d", "-5m", "1m30", "30m1h", "1h1h", "1e3s", "10000001s", "1.s"]) {
    assert.equal(secondsIn(text), null, text);
  }
  const shown = [2.31, 61, 119.2, 3000, 7200, 9000.5].map(showTime);
  assert.deepEqual(shown, ["2.4s", "61s", "120s", "50m", "2h", "2h31m"]);
});

Deno.test("a time that was given is shown as long as it is", () => {
  assert.deepEqual([90, 150, 5400, 3600.5, 0.25, 86400].map(exactTime), [
    "1m30s",
    "2m30s",
    "1h30m",
    "1h0.5s",
    "0.25s",
    "24h",
  ]);
  for (const time of [90, 3600.5, 0.25]) assert.equal(secondsIn(exactTime(time)), time);
});

import assert from "node:assert/strict";
import { overridesOf } from "../../../tasks/support/flags.ts";
import { numberInRange, wholeNumber, wholeNumbers } from "../../../tasks/support/numbers.ts";

Deno.test("flags become overrides of the recipe that know what the user typed", () => {
  assert.deepEqual(overridesOf({ set: ["train.epochs=3"], seed: "7", backend: "cpu", out: "here" }), [
    { path: ["train", "epochs"], value: 3, label: "--set train.epochs=3" },
    { path: ["seed"], value: 7, label: "--seed 7" },
    { path: ["backend"], value: "cpu", label: "--backend cpu" },
    { path: ["output"], value: "here", label: "--out here" },
  ]);
  assert.deepEqual(overridesOf({ set: [] }), []);
});

Deno.test("a seed that is no number is left to the schema, which names the flag", () => {
  assert.deepEqual(overridesOf({ set: [], seed: "1e3" }), [{ path: ["seed"], value: "1e3", label: "--seed 1e3" }]);
});

Deno.test("lists of factors", () => {
  assert.deepEqual(wholeNumbers("--rows", "32,1,24"), [32, 1, 24]);
  assert.deepEqual(wholeNumbers("--rows", "[32, 1, 24]"), [32, 1, 24]);
  for (const text of ["", "32,", "3x2", "32,0", "-1", "1.5"]) {
    assert.throws(() => wholeNumbers("--rows", text), { name: "UserError", message: /^--rows .*as in 32,1,24$/ });
  }
});

Deno.test("numbers within bounds", () => {
  assert.equal(wholeNumber("--cores", "5", 2), 5);
  for (const text of ["1", "2.0", "", "9007199254740993"]) {
    assert.throws(() => wholeNumber("--cores", text, 2), {
      message: `--cores ${text}: Expected a whole number from 2`,
    });
  }
  const rate = (text: string) => numberInRange("--increase-rate", text, "a number above 1", (value) => value > 1);
  assert.equal(rate("2.5"), 2.5);
  for (const text of ["1", "", "x", "Infinity"]) {
    assert.throws(() => rate(text), { message: `--increase-rate ${text}: Expected a number above 1` });
  }
});

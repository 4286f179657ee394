import assert from "node:assert/strict";
import { alignColumns } from "../../../tasks/support/table.ts";

Deno.test("columns are as wide as their widest cell, two spaces apart, without trailing spaces", () => {
  const rows = [["", "teacher", "student"], ["accuracy", "90.15 %", "7.40 %"], ["parameters", "-", "19,466"]];
  assert.deepEqual(alignColumns(rows, ["left", "right"]), [
    "            teacher  student",
    "accuracy    90.15 %   7.40 %",
    "parameters        -   19,466",
  ]);
});

Deno.test("the last alignment goes on, and a row may end early", () => {
  assert.deepEqual(alignColumns([["a"], ["bb", "1", "22"], ["c", "333", "4"]], ["left", "right"]), [
    "a",
    "bb    1  22",
    "c   333   4",
  ]);
});

Deno.test("characters outside of the basic plane count as one", () => {
  assert.deepEqual(alignColumns([["𝒳", "1"], ["ab", "2"]], ["left"]), ["𝒳   1", "ab  2"]);
});

Deno.test("no rows are no lines", () => assert.deepEqual(alignColumns([], ["left"]), []));

Deno.test("a name cannot end a line of a table, or turn it around", () => {
  assert.deepEqual(alignColumns([["a\nb", "1"], ["\u202ex", "2"]], ["left"]), ["a\\nb     1", "\\u202ex  2"]);
});

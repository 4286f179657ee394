import assert from "node:assert/strict";
import { stylesOf } from "../../../tasks/support/output.ts";
import { fakeOutput } from "../../support/fake_output.ts";

Deno.test("a terminal gets bold and colours", () => {
  const { strong, warning } = stylesOf(fakeOutput(80), false);
  assert.equal(strong("total"), "\x1b[1mtotal\x1b[22m");
  assert.equal(warning("Warning:"), "\x1b[33mWarning:\x1b[39m");
});

Deno.test("a file, and a terminal with NO_COLOR, get plain text", () => {
  for (const styles of [stylesOf(fakeOutput(), false), stylesOf(fakeOutput(80), true)]) {
    assert.equal(styles.strong("total"), "total");
    assert.equal(styles.warning("Warning:"), "Warning:");
  }
});

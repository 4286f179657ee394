import assert from "node:assert/strict";
import { buildLoops, GENERATED } from "../../../tasks/build_loops.ts";

Deno.test("the checked-in loops are what the table gives", async () => {
  assert.equal(await Deno.readTextFile(GENERATED), buildLoops());
});

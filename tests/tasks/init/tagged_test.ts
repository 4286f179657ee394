import assert from "node:assert/strict";
import { isTagged } from "../../../tasks/init/tagged.ts";

const found = async (text: string) => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, text);
    return await isTagged(file);
  } finally {
    await Deno.remove(file);
  }
};

Deno.test("a file of tagged words is known by its columns; its comments are none, and # may be a word", async () => {
  assert.ok(await found("# sent_id = 3\n#begin document (x);\nhello O\n\n# a comment\nAnna B-PER\n"));
  assert.ok(await found("#\tB-X\nhello\tO\n\n"), "its only span begins with #");
  assert.ok(!await found("# a comment\nhello O\n\nday NN\n"));
});

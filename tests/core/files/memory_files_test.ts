import assert from "node:assert/strict";
import { memoryFiles } from "../../../core/files/memory_files.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("files in memory begin with what they are given, as texts and as bytes, in folders made for them", async () => {
  const bytes = new Uint8Array([1, 2]);
  const files = memoryFiles({ "a/b/c.txt": "é", "/d": bytes });
  assert.equal(text(await files.read("/a/b/../b/c.txt")), "é");
  assert.deepEqual(await files.list("a"), [{ name: "b", kind: "folder" }]);
  bytes[0] = 7;
  assert.deepEqual(await files.read("d"), new Uint8Array([1, 2]));
});

Deno.test("what was read stays as it was, whatever is done with it and with the file", async () => {
  const files = memoryFiles({ a: "old" });
  (await files.read("a"))[0] = 0;
  using open = await files.open("a");
  await files.write("a", new TextEncoder().encode("new"));
  assert.deepEqual([text(await open.read(0, 3)), text(await files.read("a"))], ["old", "new"]);
});

Deno.test("a lock ends when it is disposed of, and leaves one that took its place alone", async () => {
  const files = memoryFiles();
  {
    using first = await files.openLock("/lock");
    assert.equal(await first.take(), "taken");
    await files.remove("/lock");
    assert.equal(await first.holds(), false);
    using second = await files.openLock("/lock");
    assert.equal(await second.take(), "taken");
    first[Symbol.dispose]();
    assert.equal(await second.holds(), true);
  }
  assert.deepEqual(await files.list("/"), []);
});

Deno.test("content that no files could have is refused with its path", () => {
  const cases: [content: Record<string, string>, reason: string][] = [
    [
      { "a": "", "a/b": "" },
      'Cannot put "a/b" into memory as there is something of that name: move it away, or name ' +
      "another path",
    ],
    [{ "a/b": "", "a": "" }, 'Cannot put "a" into memory as it is a folder: a file is needed'],
    [{ "/": "" }, 'Cannot put "/" into memory as it is a folder: a file is needed'],
  ];
  for (const [content, message] of cases) assert.throws(() => memoryFiles(content), { name: "UserError", message });
  assert.throws(() => memoryFiles({ a: 5 as unknown as string }), {
    name: "TypeError",
    message: 'Cannot call memoryFiles: expected a text as its content["a"], got 5',
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { type TextFlags, textInputs } from "../../../tasks/predict/text_inputs.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What is read, with nothing but a text on standard input. */
async function read(given: readonly string[], flags: TextFlags, standard = ""): Promise<unknown[]> {
  const inputs = await textInputs(given, flags, () => Promise.resolve(bytes(standard)));
  return await Promise.all(inputs.map(async ({ source, read }) => ({ ...source, read: await read() })));
}

async function withFile(name: string, text: string | Uint8Array, body: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, name);
    await Deno.writeFile(path, typeof text === "string" ? bytes(text) : text);
    await body(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("arguments are texts, whatever they look like, or pairs of them", async () => {
  assert.deepEqual(await read(["mail.txt", "b"], {}), [
    { input: "mail.txt", read: { text: "mail.txt", pair: null } },
    { input: "b", read: { text: "b", pair: null } },
  ]);
  assert.deepEqual(await read(["a", "b"], { pairs: true }), [
    { input: "a", pair: "b", read: { text: "a", pair: "b" } },
  ]);
});

Deno.test("without arguments and --file, standard input has a text on each line, and blank ones are left out", async () => {
  assert.deepEqual(await read([], {}, "\ufeffone\r\n\r\ntwo, or so\n"), [
    { input: "one", line: 1, read: { text: "one", pair: null } },
    { input: "two, or so", line: 3, read: { text: "two, or so", pair: null } },
  ]);
  assert.deepEqual(await read([], { file: "-", pairs: true }, "a\tb\n"), [
    { input: "a", pair: "b", line: 1, read: { text: "a", pair: "b" } },
  ]);
  assert.deepEqual(await read([], { format: "csv", column: "t" }, 'n,t\n1,"a, b"\n'), [
    { input: "a, b", line: 2, read: { text: "a, b", pair: null } },
  ]);
});

Deno.test("files are tables by their names, or as --format says", async () => {
  const jsonl = '{"text": "a", "other": "b"}\n{"text": ["We", "hold"]}\n';
  await withFile("a.JSONL", jsonl, async (file) => {
    assert.deepEqual(await read([], { file }), [
      { input: "a", line: 1, read: { text: "a", pair: null } },
      { input: ["We", "hold"], line: 2, read: { words: ["We", "hold"] } },
    ]);
    const lines = await read([], { file, format: "lines" }) as { input: string }[];
    assert.equal(lines[0].input, '{"text": "a", "other": "b"}');
  });
  await withFile("a.tsv", "text\tsecond\none\ttwo\n", async (file) => {
    assert.deepEqual(await read([], { file, pairColumn: "second" }), [
      { input: "one", pair: "two", line: 2, read: { text: "one", pair: "two" } },
    ]);
  });
});

Deno.test("what is no text is refused in a sentence", async () => {
  const refused = (call: Promise<unknown>, message: string | RegExp) =>
    assert.rejects(call, { name: "UserError", message });
  await refused(read([], {}), /^Cannot predict without texts: standard input has none; expected one a line, /);
  await refused(read([], {}, " \n\n"), /^Cannot predict without texts: standard input has none/);
  await refused(
    read(["a"], { file: "x" }),
    "--file x: Expected no texts as arguments beside it: texts are read from a file",
  );
  await refused(read(["a"], { pairs: true }), "--pairs: Expected two texts for each pair, got 1 texts");
  await refused(read([], { format: "xml" }, "a"), "--format xml: Expected lines, tsv, csv or jsonl");
  await refused(
    read([], { column: "a" }, "a"),
    /^--column a: Expected a table, and "-" has one text a line: its name /,
  );
  await refused(read([], { format: "csv", pairs: true }, "a"), /^--pairs: Expected texts as arguments or one a line/);
  await refused(
    read([], { file: "nowhere.csv" }),
    'Cannot read the texts "nowhere.csv" as there is no such file or folder',
  );
  await refused(
    read([], { pairs: true }, "a\tb\nc\n"),
    'Cannot use line 2 of "standard input" as a pair: expected two texts with a tab between, got 1',
  );
  await withFile("a.csv", "body,label\nx,1\n", async (file) => {
    await refused(
      read([], { file }),
      `Cannot find the column "text" in "${file}": it has body and label; say which by --column`,
    );
    await refused(
      read([], { file, column: "body", pairColumn: "c" }),
      /^Cannot find the column "c" .* by --pair-column$/,
    );
  });
  await withFile("a.jsonl", '{"text": [1]}\n', async (file) => {
    await refused(read([], { file }), `Cannot use line 1 of "${file}" as its words are [1]: expected a list of texts`);
  });
  await withFile("a.csv", "text\n", async (file) => {
    await refused(read([], { file }), `Cannot predict without texts: there are none in "${file}"`);
  });
  await withFile("a.txt", Uint8Array.of(0xff, 0xfe, 0), async (file) => {
    await refused(read([], { file }), `Cannot read "${file}" as it is not UTF-8 text`);
  });
});

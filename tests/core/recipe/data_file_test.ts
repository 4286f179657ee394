import assert from "node:assert/strict";
import { z } from "zod";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { dataFile } from "../../../core/recipe/data_file.ts";

const schema = z.strictObject({ file: dataFile().default("a.gz") });
const parse = (text: string) => parseChecked(text, "recipe.yaml", schema).value.file;
const hash = "0123456789abcdef".repeat(4);

Deno.test("a data file is a path, or an address with its hash", () => {
  assert.equal(parse("{}"), "a.gz");
  assert.equal(parse("file: data/b.gz"), "data/b.gz");
  const remote = { url: "https://example.org/b.gz", sha256: hash };
  assert.deepEqual(parse(`file: { url: ${remote.url}, sha256: ${hash} }`), remote);
});

Deno.test("an address without its hash is refused at its place, in either form, with what to write", () => {
  for (const text of ["file: https://example.org/b.gz", "file: { url: https://example.org/b.gz }"]) {
    assert.throws(() => parse(text), {
      name: "UserError",
      message: /^recipe\.yaml:1:7: Cannot use "https:.*" without its SHA-256 as .* write \{ url: .* "sha256sum FILE"/,
    });
  }
});

Deno.test("what is wrong with a file's entry is said at its place", () => {
  const cases: [text: string, message: RegExp][] = [
    [
      `file: { url: ftp://a/b, sha256: ${hash} }`,
      /^recipe\.yaml:1:7: Cannot download "ftp:\/\/a\/b": expected .*https:/,
    ],
    [
      "file: { url: https://a/b, sha256: abc }",
      /^recipe\.yaml:1:35: Expected 64 hexadecimal digits for file\.sha256: got "abc"$/,
    ],
    ["file: { url: https://a/b, sha: abc }", /^recipe\.yaml:1:27: Unknown key "sha" in file: did you mean "sha256"\?$/],
    [`file: { sha256: ${hash} }`, /^recipe\.yaml:1:7: Missing key "url" in file/],
    ["file: 3", /^recipe\.yaml:1:7: Expected a non-empty string or a map with url and sha256 for file: got 3$/],
  ];
  for (const [text, message] of cases) assert.throws(() => parse(text), { name: "UserError", message }, text);
});

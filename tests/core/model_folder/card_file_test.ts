import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { withoutEnvironment } from "../../../core/recipe/without_environment.ts";
import "../../../core/deno/install.ts";
import {
  CARD_FILE,
  code,
  codeBlock,
  inline,
  removeOwnCard,
  table,
  writeCard,
} from "../../../core/model_folder/card_file.ts";

Deno.test("metadata stands above the text as YAML 1.1, whatever is in it", async () => {
  const folder = await Deno.makeTempDir();
  const metadata = {
    no: "no",
    time: "12:30:45",
    number: "1_000",
    date: "2026-11-30",
    line: "a\n---\nb: # c",
    left: undefined,
  };
  await writeCard(folder, "1f0c5a3be1d2", metadata, ["# Title", "", "text"]);
  const text = await Deno.readTextFile(join(folder, CARD_FILE));
  const [, yaml, rest] = /^---\n([^]*?)\n---\n([^]*)$/.exec(text)!;
  assert.equal(yaml.split("\n", 1)[0], "# run 1f0c5a3be1d2");
  const { left: _, ...given } = metadata;
  assert.deepEqual(withoutEnvironment(() => parse(yaml, { version: "1.1" })), given);
  // Quoted, or Python's reader takes them for other things.
  for (const line of ['"no": "no"', 'time: "12:30:45"', 'number: "1_000"', 'date: "2026-11-30"']) {
    assert.ok(yaml.replaceAll("'", '"').includes(line), `${line} in\n${yaml}`);
  }
  // It takes 1e-7 for a string, and two of these for line ends.
  await writeCard(folder, "1f0c", { small: 1e-7, large: -2e21, text: "1e-7", ends: "a\u0085b\u2028c" }, []);
  const lines = (await Deno.readTextFile(join(folder, CARD_FILE))).split("\n").slice(2, 6);
  assert.deepEqual(lines, ["small: 1.0e-7", "large: -2.0e+21", 'text: "1e-7"', "ends: a\\u0085b\\u2028c"]);
  assert.equal(rest, "\n# Title\n\ntext\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a card that this program wrote is taken away, another's stays", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, CARD_FILE);
  await removeOwnCard(folder);
  await writeCard(folder, "1f0c5a3be1d2", { tags: ["opdf"] }, ["text"]);
  await removeOwnCard(folder);
  await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
  await Deno.writeTextFile(file, "---\ntags: [mine]\n---\n");
  await removeOwnCard(folder);
  assert.equal(await Deno.readTextFile(file), "---\ntags: [mine]\n---\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("names with marks of Markdown, HTML or line ends in them are shown as they are", () => {
  assert.equal(
    inline("a|b *c* [d](e) <f> &g; `h` $i$ #j _k_\nl"),
    "a\\|b \\*c\\* \\[d\\](e) \\<f\\> \\&g; \\`h\\` \\$i\\$ \\#j \\_k\\_\\\\nl",
  );
  assert.equal(code("plain"), "`plain`");
  assert.equal(code("a|b`c"), "``a\\|b`c``");
  assert.equal(code("`a"), "`` `a ``");
  assert.deepEqual(codeBlock("yaml", "a: |\n  ```\n"), ["````yaml", "a: |\n  ```", "````"]);
  assert.deepEqual(table([["", "n"], ["a", "1"]]), ["|  | n |", "| --- | ---: |", "| a | 1 |"]);
});

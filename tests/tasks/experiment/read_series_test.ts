import assert from "node:assert/strict";
import { join } from "node:path";
import { readSeries } from "../../../tasks/experiment/read_series.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

/** Reads `all.yaml` beside two experiments, `a.yaml` and `b.yaml`, and one that has the name of the first. */
async function read(text: string, more: readonly string[] = []) {
  const folder = await Deno.makeTempDir();
  const rows = "base: tiny.yaml\nrows: { one: , two: { train: { epochs: 2 } } }\n";
  const files = {
    "tiny.yaml": tinyRecipe,
    "a.yaml": rows,
    "b.yaml": rows,
    "c.yaml": `name: a\n${rows}`,
    "all.yaml": text,
  };
  try {
    for (const [name, content] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), content);
    return await readSeries(["all.yaml", ...more].map((name) => join(folder, name)), { seeds: [4], baseline: "two" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a series is its experiments in order, each with what the command line sets", async () => {
  const experiments = await read("experiments: [b.yaml, a.yaml]");
  assert.deepEqual(
    experiments.map(({ name, rows, seeds, baseline }) => [name, rows.length, seeds, baseline]),
    [["b", 2, [4], "two"], ["a", 2, [4], "two"]],
  );
});

Deno.test("one experiment file is a series of one", async () => {
  const [{ name, rows }, ...others] = await read("base: tiny.yaml\nrows: { one: , two: }");
  assert.deepEqual([name, rows.length, others], ["all", 2, []]);
});

const REFUSALS: [text: string, message: RegExp, more?: string[]][] = [
  ["experiments: []", /all\.yaml:1:14: /],
  ["experiments: [a.yaml, none.yaml]", /all\.yaml:1:23: Cannot read the recipe ".*none\.yaml"/],
  [
    "experiments: [a.yaml, c.yaml]",
    /all\.yaml:1:23: Cannot run two experiments of the name "a" as it is their folder's$/,
  ],
  ["experiments: [all.yaml]", /all\.yaml:1:15: Cannot run a series as part of another: name its experiments$/],
  ["experiments: [a.yaml]\nseeds: [1]", /all\.yaml:2:1: Unknown key "seeds" at the top level/],
  ["experiments: [a.yaml]", /^UserError: Cannot compare the series ".*all\.yaml" with others: give it alone$/, [
    "a.yaml",
  ]],
];

for (const [text, message, more] of REFUSALS) {
  Deno.test(`refused: ${JSON.stringify(text)}${more ? " with another file" : ""}`, async () => {
    await assert.rejects(read(text, more), message);
  });
}

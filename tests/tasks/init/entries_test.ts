import assert from "node:assert/strict";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { z } from "zod";
import { type Entry, line, type Plain, valueOf, writeEntries } from "../../../tasks/init/entries.ts";

const read = (text: string) => parseChecked(text, "a.yaml", z.record(z.string(), z.unknown())).value;

Deno.test("a recipe is written with its reasons, behind a line or above it", () => {
  const entries: Entry[] = [
    line("name", "a"),
    {
      key: "train",
      entries: [line("epochs", 3, "few"), line("optimiser", { use: "sgd", betas: [0.9, 1] }, "x ".repeat(50).trim())],
    },
    { key: "losses", items: [{ value: { use: "kd" }, why: "the teacher" }] },
  ];
  assert.equal(
    writeEntries(["Head."], entries),
    `# Head.\nname: a\ntrain:\n  epochs: 3 # few\n  # ${"x ".repeat(50).trim()}\n` +
      "  optimiser: { use: sgd, betas: [0.9, 1] }\nlosses:\n  - { use: kd } # the teacher\n",
  );
});

Deno.test("whatever files and columns are called, what is read again is what was written", () => {
  const odd = [
    "a, b",
    "it's: #1",
    "[x]",
    "{",
    "null",
    "12",
    "no",
    "",
    " a ",
    "é\n",
    "- a",
    "&a",
    "*",
    "%",
    '"',
    "1e-3",
  ];
  const values: Plain[] = [
    ...odd,
    odd,
    Object.fromEntries(odd.map((name) => [name, name])),
    1e-12,
    -0.5,
    true,
    null,
    [],
  ];
  const entries = values.map((value, index) => line(`k${index}`, value, index % 2 ? "why" : undefined));
  const all: Entry[] = [...entries, { key: "below", entries }, {
    key: "list",
    items: values.map((value) => ({ value })),
  }];
  assert.deepEqual(read(writeEntries([], all)), valueOf(all));
});

import assert from "node:assert/strict";
import { useFiles } from "../../../core/files/current.ts";
import { memoryFiles } from "../../../core/files/memory_files.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { imageTable } from "../../../plugins/datasets/image_table.ts";
import { textTable } from "../../../plugins/datasets/text_table.ts";
import { loadPictures, noisePng } from "../../support/pictures.ts";
import { loadTexts } from "../../support/text_setup.ts";

const several = { task: "multi-label", separator: ";" };
const texts = (options: Record<string, unknown>, train: string, test = train, ending = "csv") =>
  loadTexts(
    textTable,
    { train: `train.${ending}`, test: `test.${ending}`, vocabularySize: 40, maxLength: 12, ...options },
    { [`train.${ending}`]: train, [`test.${ending}`]: test },
  );
const flagsOf = ({ splits: { train } }: Awaited<ReturnType<typeof texts>>) => {
  const { label, labelled } = train.batch(Uint32Array.from({ length: train.length }, (_, index) => index));
  return { flags: [...label.data].join(""), shape: label.shape, labelled: labelled && [...labelled.data].join("") };
};

Deno.test("names between separators, or lists of JSON, are several labels; none and no label are two things", async () => {
  const table = "text,label\none,b; a\ntwo,c\nthree,-\nfour,\n";
  const dataset = await texts({ ...several, none: "-" }, table);
  assert.deepEqual([dataset.input.task, dataset.input.classes], ["multi-label", ["a", "b", "c"]]);
  assert.deepEqual(flagsOf(dataset), { flags: "110001000000", shape: [4, 3], labelled: "1110" });
  assert.equal(dataset.splits.train.labels, null);
  const lines = [["b", "a"], ["c"], [], null].map((label) => JSON.stringify({ text: "one two", label })).join("\n");
  const lists = await texts({ task: "multi-label" }, lines, lines, "jsonl");
  assert.deepEqual(flagsOf(lists), flagsOf(dataset));
  const whole = await texts({ task: "multi-label" }, lines.split("\n").slice(0, 3).join("\n"), lines, "jsonl");
  assert.deepEqual(flagsOf(whole), { flags: "110001000", shape: [3, 3], labelled: undefined });
});

Deno.test("lists of a 0 or a 1 for each class are read where the recipe says so and names the classes", async () => {
  const lines = '{"text": "a", "label": [0, 1]}\n{"text": "b", "label": [1, 1]}\n{"text": "c", "label": [0, 0]}';
  const options = { task: "multi-label", flags: true, classes: ["x", "y"] };
  assert.deepEqual(flagsOf(await texts(options, lines, lines, "jsonl")).flags, "011100");
  await assert.rejects(texts({ task: "multi-label" }, lines, lines, "jsonl"), {
    name: "UserError",
    message:
      'Cannot use line 2 of "train.jsonl" as its label has "1" twice, [1,1]: expected each class once; flags: true ' +
      "if it has a 0 or a 1 for each class",
  });
  const either = '{"text": "a", "label": [0, 1]}\n{"text": "b", "label": [1, 0]}';
  await assert.rejects(texts({ task: "multi-label" }, either, either, "jsonl"), {
    name: "UserError",
    message:
      'Cannot learn from "train.jsonl" as all its examples are of the same classes, 0 and 1: expected others, or ' +
      "flags: true if each label has a 0 or a 1 for each class",
  });
  const wrong = lines.replace("[1, 1]", "[1, 2]");
  await assert.rejects(texts(options, wrong, lines, "jsonl"), {
    message:
      'Cannot use line 2 of "train.jsonl" as its label is [1,2]: expected a list of 2 numbers, a 0 or a 1 for each class',
  });
});

Deno.test("what is no list of classes is refused with its line, and options that do not belong together", async () => {
  const good = "text,label\none,a;b\ntwo,b\n";
  const refused = async (options: Record<string, unknown>, train: string, message: string, ending = "csv") => {
    const test = ending === "csv" ? good : '{"text": "one", "label": ["a"]}\n{"text": "two", "label": ["b"]}';
    await assert.rejects(texts(options, train, test, ending), { name: "UserError", message });
  };
  const line = (table: string, reason: string) => `Cannot use line 2 of "train.${table}" as its label ${reason}`;
  await refused(
    several,
    "text,label\none,a;;b\n",
    line("csv", 'has an empty name, ["a","","b"]').replace('["a","","b"]', '"a;;b"'),
  );
  await refused(
    several,
    "text,label\none,a;b;a\n",
    line("csv", 'has "a" twice, "a;b;a": expected each class once; flags: true if it has a 0 or a 1 for each class'),
  );
  const list = { task: "multi-label" };
  await refused(
    list,
    '{"text": "one", "label": ["a", "b"]}\n{"text": "one", "label": "a"}',
    line("jsonl", 'is a text, "a": expected a list of JSON, or separator: what stands between the names'),
    "jsonl",
  );
  await refused(
    list,
    '{"text": "one", "label": ["a", "b"]}\n{"text": "one", "label": [["a"]]}',
    line("jsonl", 'is [["a"]]: expected a list of names'),
    "jsonl",
  );
  await assert.rejects(texts(several, good, "text,label\none,z\n"), {
    message: 'Unknown label "z" on line 2 of "test.csv": the classes are a and b',
  });
  const mistakes = [
    [{ separator: ";" }, "Cannot use separator for classification: it is for task: multi-label"],
    [{ task: "regression", none: "-" }, "Cannot use none for regression: it is for task: multi-label"],
    [{ ...list, flags: true }, "Cannot read flags without names: expected classes in the order of the flags"],
    [
      { ...several, flags: true, classes: ["a", "b"] },
      "Cannot use separator or none beside flags: labels are lists of JSON",
    ],
  ] as const;
  for (const [options, message] of mistakes) {
    const parsed = textTable.options(optionKit).safeParse({ train: "a.csv", test: "b.csv", ...options });
    assert.equal(parsed.error!.issues[0].message, message);
  }
});

Deno.test("a part of one table with several labels is its test set", async () => {
  const rows = Array.from({ length: 20 }, (_, index) => `text ${index},${index % 2 ? "a;b" : "b"}`).join("\n");
  const dataset = await texts({ ...several, test: null, testPart: 0.25 }, `text,label\n${rows}\n`);
  assert.deepEqual([dataset.splits.train.length, dataset.splits.test.length], [15, 5]);
});

const pictures = Object.fromEntries([1, 2, 3, 4, 5].map((seed) => [`all/${seed}.png`, noisePng(seed, 3)]));
const load = (table: string, options: Record<string, unknown> = {}) => {
  useFiles(memoryFiles({ ...pictures, "train.csv": table, "test.csv": "path,label\n5.png,a\n" }));
  return loadPictures(imageTable, { folder: "all", train: "train.csv", test: "test.csv", ...several, ...options });
};

Deno.test("pictures of a table have several labels, one, none, or no label", async () => {
  const { input, splits, warnings } = await load("path,label\n1.png,b;a\n2.png,b\n3.png,-\n4.png,\n", { none: "-" });
  assert.deepEqual([input.task, input.classes, input.image?.size], ["multi-label", ["a", "b"], [3, 3, 3]]);
  const { label, labelled } = splits.train.batch(Uint32Array.of(0, 1, 2, 3));
  assert.deepEqual([[...label.data], label.shape, [...labelled.data]], [[1, 1, 0, 1, 0, 0, 0, 0], [4, 2], [
    1,
    1,
    1,
    0,
  ]]);
  assert.equal(splits.train.labels, null);
  assert.match(warnings![0], /^the split "test" has no picture of "b"/);
  const part = await load("path,label\n1.png,b;a\n2.png,b\n3.png,a;b\n4.png,a\n", { test: null, testPart: 0.25 });
  assert.deepEqual([part.splits.train.length, part.splits.test.length], [3, 1]);
});

Deno.test("a class of several that no training picture shows is refused, and so are groups", async () => {
  await assert.rejects(load("path,label\n1.png,b\n2.png,b;a\n", { classes: ["a", "b", "c"] }), {
    name: "UserError",
    message: 'Cannot learn the class "c" from "all": no training picture shows it',
  });
  const parsed = imageTable.options(optionKit).safeParse({
    ...{ folder: "all", train: "a.csv", test: "b.csv", ...several },
    groups: { x: ["a"], y: ["b"] },
  });
  assert.match(parsed.error!.issues[0].message, /^Cannot join classes to groups for multi-label/);
});

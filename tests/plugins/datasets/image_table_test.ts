import assert from "node:assert/strict";
import { useFiles } from "../../../core/files/current.ts";
import { memoryFiles } from "../../../core/files/memory_files.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { imageTable } from "../../../plugins/datasets/image_table.ts";
import { goldenFile, imagesIn, loadPictures, noisePng, plainPng } from "../../support/pictures.ts";

const pictures = {
  "all/a.png": plainPng([255, 0, 0]),
  "all/b/c.png": plainPng([0, 0, 255]),
  "all/d.png": plainPng([255, 255, 0]),
  "all/ä, e.png": plainPng([0, 255, 255]),
};

const load = (tables: Record<string, Uint8Array | string>, options: Record<string, unknown> = {}) => {
  useFiles(memoryFiles({ ...pictures, ...tables }));
  return loadPictures(imageTable, { folder: "all", train: "train.csv", test: "test.csv", ...options });
};

const tables = {
  "train.csv": "path,label\na.png,10\nb/c.png,2\n",
  "test.csv": 'path,label\n./d.png,2\n"ä, e.png",10\n',
};

Deno.test("a table names pictures and classes, by their numbers where they are numbers", async () => {
  const dataset = await load(tables, { mean: [0, 0, 0], std: [1, 1, 1] });
  const { input, splits } = dataset;
  assert.deepEqual([input.classes, input.image?.size], [["2", "10"], [2, 2, 3]]);
  assert.deepEqual([[...splits.train.labels!], [...splits.test.labels!]], [[1, 0], [0, 1]]);
  assert.deepEqual((await imagesIn(dataset, "test")).map((image) => image.slice(0, 3)), [[1, 1, 0], [0, 1, 1]]);
});

Deno.test("JSON lines, other columns, further splits, and paths as Windows writes them", async () => {
  const { input, splits } = await load({
    "train.jsonl": '{"file": "a.png", "kind": "warm"}\n{"file": "b\\\\c.png", "kind": "cold"}\n',
    "test.tsv": "file\tkind\nd.png\twarm\n",
    "val.csv": "file,kind\nd.png,warm\n",
  }, { train: "train.jsonl", test: "test.tsv", path: "file", label: "kind", more: { val: "val.csv" } });
  assert.deepEqual([input.classes, Object.keys(splits).sort()], [["cold", "warm"], ["test", "train", "val"]]);
  assert.deepEqual([...splits.train.labels!], [1, 0]);
});

Deno.test("a part of one table is the test set", async () => {
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, seed) => [`all/${seed}.png`, noisePng(seed, 3)]));
  const rows = Array.from({ length: 10 }, (_, seed) => `${seed}.png,${seed % 2 ? "odd" : "even"}`);
  const { splits } = await load({ ...many, "train.csv": `path,label\n${rows.join("\n")}` }, {
    test: null,
    testPart: 0.4,
  });
  assert.deepEqual([splits.train.length, splits.test.length], [6, 4]);
  const train = `path,label\n${rows.join("\n")}\na.png,\nd.png,`;
  const half = await load({ ...many, "train.csv": train }, { test: null, testPart: 0.4, size: 3 });
  assert.deepEqual([...half.splits.train.labels!].slice(-2), [-1, -1], "what has no label is trained on");
  assert.deepEqual([half.splits.test.length, half.splits.test.labelled], [4, undefined]);
  const parsed = imageTable.options(optionKit).safeParse({ folder: "all", train: "train.csv" });
  assert.equal(parsed.error!.issues[0].message, "Expected one of test and testPart: got neither");
});

const refused: readonly (readonly [name: string, train: string, RegExp])[] = [
  [
    "a picture that is not there",
    "path,label\na.png,x\nz.png,y",
    /^Cannot use line 3 of "train.csv" as there is no file "z.png" in "all"/,
  ],
  ["a path that leads out", "path,label\na.png,x\n../train.csv,y", /as there is no file "..\/train.csv" in "all"/],
  ["an absolute path", "path,label\na.png,x\n/all/d.png,y", /as there is no file "\/all\/d.png" in "all"/],
  ["an empty path", "path,label\na.png,x\n ,y", /^Cannot use line 3 of "train.csv" as its path is empty/],
  [
    "one class",
    "path,label\na.png,x\nd.png,x",
    /^Cannot tell classes by the column "label" of "train.csv": it has 1 different values/,
  ],
  ["no rows", "path,label\n", /^Cannot use "train.csv" as it has no examples$/],
  [
    "another column",
    "file,label\na.png,x",
    /^Cannot find the column "path" on line 2 of "train.csv": it has file and label$/,
  ],
  [
    "a broken picture",
    "path,label\na.png,10\nbad.gif,2",
    /^Cannot use line 3 \("bad.gif"\) of "train.csv" as it ends before its picture does: mend it/,
  ],
];

for (const [name, train, message] of refused) {
  Deno.test(`image-table refuses ${name}`, async () => {
    const content = { ...tables, "train.csv": train, "all/bad.gif": goldenFile("gif").subarray(0, 900) };
    await assert.rejects(load(content, { size: 2 }), { name: "UserError", message });
  });
}

Deno.test("a picture with two classes is refused with both lines; one that is named twice is counted", async () => {
  const twice = { ...tables, "train.csv": `${tables["train.csv"]}d.png,2\n./a.png,10\na.png,10\nb/c.png,\n` };
  const { warnings, splits } = await load(twice);
  assert.equal(splits.train.length, 6);
  assert.equal(
    warnings?.[0],
    '3 of the 6 lines of "train.csv" name a picture once more (line 5 "a.png", as line 2 does): it counts as often as ' +
      "it is named",
  );
  assert.equal((await load(tables)).warnings, undefined);
  const two = (line: number) => ({
    name: "UserError",
    message: `Cannot tell what "a.png" shows: line 2 of "train.csv" says "10", and line ${line} of ` +
      '"train.csv" "2"; leave one out',
  });
  const differing = { ...tables, "train.csv": `${tables["train.csv"]}a.png,2\n` };
  await assert.rejects(load(differing), two(4));
  await assert.rejects(load(differing, { onBad: "skip" }), two(4));
  await assert.rejects(load({ ...tables, "val.csv": "path,label\na.png,2\n" }, { more: { val: "val.csv" } }), {
    message:
      'Cannot tell what "a.png" shows: line 2 of "val.csv" says "2", and line 2 of "train.csv" "10"; leave one out',
  });
});

Deno.test("rows without a usable picture are skipped, counted and listed", async () => {
  const train = `${tables["train.csv"]}z.png,2\nbad.gif,2\n,10\n`;
  const content = { ...tables, "train.csv": train, "all/bad.gif": "GIF89a" };
  const { skipped, splits } = await load(content, { onBad: "skip" });
  assert.equal(splits.train.length, 2);
  assert.deepEqual(skipped, [{
    file: "train.csv",
    count: 3,
    first: [
      'line 4: there is no file "z.png" in "all"',
      "line 6: its path is empty",
      'line 5 ("bad.gif"): it ends before its picture does',
    ],
  }]);
});

Deno.test("rows without a label, and tables of such, are trained on without one; paths are the examples' ids", async () => {
  const { splits } = await load({
    ...tables,
    "train.csv": `${tables["train.csv"]}d.png,\n`,
    "more.csv": 'path\n"ä, e.png"\n',
  }, { unlabelled: ["more.csv"] });
  const { labels, labelled, source } = splits.train;
  assert.deepEqual([[...labels!], [...labelled!]], [[1, 0, -1, -1], [1, 1, 0, 0]]);
  assert.deepEqual([source?.file, source?.ids], [null, ["a.png", "b/c.png", "d.png", "ä, e.png"]]);
  const { label, labelled: there } = splits.train.batch(Uint32Array.of(3, 0));
  assert.deepEqual([[...label.data], [...there.data]], [[-1, 1], [0, 1]]);
  assert.deepEqual(splits.test.source, {
    file: "test.csv",
    records: 2,
    record: Uint32Array.of(0, 1),
    ids: ["d.png", "ä, e.png"],
  });
});

Deno.test("a table of pictures without any label is a transfer set, if the recipe names the classes", async () => {
  const bare = { ...tables, "train.csv": "path,label\na.png,\nb/c.png,\n" };
  const { input, splits } = await load(bare, { classes: [2, 10] });
  assert.deepEqual([input.classes, [...splits.train.labels!], [...splits.train.labelled!]], [["2", "10"], [-1, -1], [
    0,
    0,
  ]]);
  assert.equal(splits.test.labelled, undefined);
});

Deno.test("pictures that stand in two tables under two names, and classes that one lacks, are told", async () => {
  const { warnings } = await load({
    ...tables,
    "all/copy.png": pictures["all/a.png"],
    "test.csv": "path,label\ncopy.png,10\nd.png,10\n",
  });
  assert.deepEqual(warnings, [
    'the split "test" has no picture of "2": what is measured on it says nothing of that',
    '1 of the 2 pictures of the split "test" are training pictures, too, byte for byte ("copy.png" is "a.png"): what is ' +
    "measured on them says nothing of new pictures",
  ]);
});

Deno.test("a table may have no column of labels, where the recipe says so and names the classes", async () => {
  const rows = ["a.png", "b/c.png", "d.png", '"ä, e.png"'];
  const bare = { "train.csv": `path\n${rows.join("\n")}\n` };
  const none = { label: null, test: null, testPart: 0.5 };
  const { splits, input } = await load(bare, { ...none, classes: ["x", "y"] });
  assert.deepEqual([input.classes, splits.train.length, splits.test.length], [["x", "y"], 2, 2]);
  assert.deepEqual([[...splits.train.labels!], [...splits.test.labelled!]], [[-1, -1], [0, 0]]);
  await assert.rejects(load(bare, none), {
    name: "UserError",
    message: /^Cannot tell the classes by "train\.csv" as none of its examples has a label: name them in classes/,
  });
  await assert.rejects(load(bare, { test: null, testPart: 0.5 }), {
    message: 'Cannot find the column "label" on line 2 of "train.csv": it has path',
  });
});

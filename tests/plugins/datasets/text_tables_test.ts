import assert from "node:assert/strict";
import { optionKit } from "../../../core/plugin/kit.ts";
import { conll } from "../../../plugins/datasets/conll.ts";
import { glue } from "../../../plugins/datasets/glue.ts";
import { imageTable } from "../../../plugins/datasets/image_table.ts";
import { textTable } from "../../../plugins/datasets/text_table.ts";
import { loadTexts } from "../../support/text_setup.ts";

const small = { vocabularySize: 40, maxLength: 12 };
const table = (options: Record<string, unknown>, files: Record<string, string>) =>
  loadTexts(textTable, { train: "train.tsv", test: "test.tsv", ...small, ...options }, files);
const good = "text\tlabel\ngood day\tyes\nbad day\tno\n";

Deno.test("a table's texts are padded to the longest of a batch, with mask, types and labels", async () => {
  const { input, splits } = await table({}, { "train.tsv": good, "test.tsv": good });
  assert.deepEqual([input.task, input.classes], ["classification", ["no", "yes"]]);
  const { tokens, mask, types, label } = splits.train.batch(Uint32Array.of(0, 1));
  assert.deepEqual([tokens.shape, types.shape, label.shape], [[2, 8], [2, 8], [2]]);
  assert.deepEqual([...label.data], [1, 0]);
  const lengths = [...splits.train.lengths!];
  assert.deepEqual([...mask.data], lengths.flatMap((n) => Array.from({ length: 8 }, (_, i) => i < n ? 1 : 0)));
  assert.ok(tokens.data.every((token) => token < input.text!.vocabulary));
  assert.deepEqual([...splits.train.labels!], [1, 0]);
});

Deno.test("texts that are cut are counted, those that are trained and those that are measured on", async () => {
  const long = `text\tlabel\n${"good ".repeat(20)}\tyes\nbad\tno\n`;
  const other = "text\tlabel\nbad day\tyes\ngood\tno\n";
  const { notes } = await table({}, { "train.tsv": long, "test.tsv": other });
  assert.deepEqual(notes, [
    "dataset.maxLength of 12 tokens cuts 1 of the 2 training texts: what is behind is not read",
  ]);
  const both = await table({}, { "train.tsv": long, "test.tsv": long.replace("good", "day") });
  assert.match(both.notes![0], / cuts 1 of the 2 texts of the split "test" and 1 of the 2 training texts: /);
});

Deno.test("CSV has quotes, JSON lines have keys, and columns may be named in the recipe", async () => {
  const csv = 'label,text\n1,"a, ""quoted"" text\nof two lines"\n0,plain\n';
  const jsonl = '{"text": "plain", "label": 0}\n\n{"text": "other", "label": 1}\n';
  const mixed = await table({ train: "a.csv", test: "b.jsonl" }, { "a.csv": csv, "b.jsonl": jsonl });
  assert.deepEqual([mixed.splits.train.length, mixed.splits.test.length], [2, 2]);
  assert.deepEqual(mixed.input.classes, ["0", "1"]);
  const bare = "x\tfirst text\tsecond text\ny\tone\ttwo\n";
  const pairs = await table(
    { columns: ["kind", "left", "right"], text: "left", pair: "right", label: "kind" },
    { "train.tsv": bare, "test.tsv": bare },
  );
  assert.ok(pairs.splits.train.batch(Uint32Array.of(0)).types.data.includes(1));
});

Deno.test("quotes of a TSV are letters, and Windows line ends and a byte order mark do not matter", async () => {
  const text = '\ufefftext\tlabel\r\n"quoted\tyes\r\nplain\tno\r\n\r\n';
  const { splits } = await table({}, { "train.tsv": text, "test.tsv": text });
  assert.equal(splits.train.length, 2);
});

Deno.test("a regression has real numbers", async () => {
  const text = "text\tlabel\na b\t2.5\nb c\t-1\n";
  const { input, splits } = await table({ task: "regression" }, { "train.tsv": text, "test.tsv": text });
  assert.deepEqual([input.classes, splits.train.labels], [[], null]);
  assert.deepEqual([...splits.train.batch(Uint32Array.of(1, 0)).label.data], [-1, 2.5]);
});

Deno.test("a part of one table is the test set: the same of each class, equal texts on one side, rows by the file", async () => {
  const kinds = ["yes", "no", "no", "no", ""];
  const rows = Array.from({ length: 100 }, (_, row) => `text ${row >> 1}\t${kinds[(row >> 1) % 5]}`);
  const files = { "train.tsv": ["text\tlabel", ...rows].join("\n") };
  const load = (seed: number) => table({ test: undefined, testPart: 0.2, seed }, files);
  const { splits: { train, test } } = await load(0);
  assert.deepEqual([train.length, test.length], [84, 16]);
  const labelled = (test.labels ?? []) as Uint16Array;
  assert.deepEqual([0, 1].map((kind) => labelled.filter((label) => label === kind).length), [12, 4], "no and yes");
  const [own, tested] = [train, test].map(({ source }) => [...source!.record]);
  assert.deepEqual([...own, ...tested].sort((a, b) => a - b), Array.from({ length: 100 }, (_, row) => row));
  assert.ok(tested.every((row) => tested.includes(row ^ 1)), "both rows of a text");
  assert.ok(tested.every((row) => (row >> 1) % 5 !== 4), "what has no label measures nothing");
  assert.deepEqual([test.source!.file, test.source!.records], ["train.tsv", 100]);
  const again = (await load(0)).splits.test.source!.record;
  const other = (await load(1)).splits.test.source!.record;
  assert.deepEqual([...again], tested);
  assert.notDeepEqual([...other], tested);
  await assert.rejects(() => table({ testPart: 0.2 }, files), /Expected one of test, a table, and testPart/);
  await assert.rejects(() => table({ test: undefined }, files), /Expected one of test, a table, and testPart/);
});

Deno.test("mistakes of a table are refused with file and line", async () => {
  const refused = (test: string, message: RegExp, options: Record<string, unknown> = {}) =>
    assert.rejects(() => table(options, { "train.tsv": good, "test.tsv": test }), { name: "UserError", message });
  await refused(
    "text\tlabel\na\tmaybe\n",
    /^Unknown label "maybe" on line 2 of "test.tsv": the classes are no and yes$/,
  );
  await refused("text\tlabel\na\tyes\textra\n", /^Cannot read line 2 of "test.tsv" as it has another number of cells/);
  await refused("text\tlabel\n  \tyes\n", /^Cannot use line 2 of "test.tsv" as its text is empty: mend it, /);
  await refused(
    "words\tlabel\na\tyes\n",
    /^Cannot find the column "text" on line 2 of "test.tsv": it has words and label$/,
  );
  await refused("text\tlabel\n", /^Cannot use "test.tsv" as it has no examples$/);
  await refused("text\tlabel\na\tyes\n", /^Cannot read the label "yes" on line 2 .*: a number is needed$/, {
    task: "regression",
  });
  await assert.rejects(() => table({ test: "a.txt" }, { "train.tsv": good, "a.txt": "" }), {
    message: 'Cannot tell how "a.txt" is written: set format to tsv, csv, jsonl',
  });
  const json = { train: "a.jsonl" };
  await assert.rejects(() => table(json, { "a.jsonl": '{"text": "a"}\n[1]\n', "test.tsv": good }), {
    message: /^Cannot read line 2 of "a.jsonl": a JSON object is needed/,
  });
  await assert.rejects(() => table({ train: "a.csv" }, { "a.csv": 'text,label\n"open,1\n', "test.tsv": good }), {
    message: /^Cannot read line \d of "a.csv" as of a quote that does not close/,
  });
});

Deno.test("examples without text are skipped if asked, and counted and listed by file", async () => {
  const test = `${good}\tyes\n \tno\n` + " \tyes\n".repeat(5);
  const { splits, skipped } = await table({ onBad: "skip" }, { "train.tsv": good, "test.tsv": test });
  assert.deepEqual([splits.train.length, splits.test.length], [2, 2]);
  assert.deepEqual(skipped, [{
    file: "test.tsv",
    count: 7,
    first: [
      "line 4: its text is empty",
      "line 5: its text is empty",
      "line 6: its text is empty",
      "line 7: its text is empty",
      "line 8: its text is empty",
    ],
  }]);
  const jsonl =
    '{"text": "a", "label": "x"}\n{"text": null, "label": "y"}\n{"text": "b"}\n{"text": "c", "label": "z"}\n';
  const files = { train: "a.jsonl", test: "b.jsonl", onBad: "skip" };
  const { input, skipped: two } = await table(files, { "a.jsonl": jsonl, "b.jsonl": jsonl });
  assert.deepEqual([input.classes, two![0].count], [["x", "z"], 1]);
  assert.equal((await table({ onBad: "skip" }, { "train.tsv": good, "test.tsv": good })).skipped, undefined);
  await assert.rejects(() => table({ onBad: "skip" }, { "train.tsv": good, "test.tsv": "text\tlabel\n\tyes\n" }), {
    name: "UserError",
    message: 'Cannot use "test.tsv" as none of its 1 examples can be used: line 2: its text is empty',
  });
  await assert.rejects(() => table({ onBad: "skip" }, { "train.tsv": good, "test.tsv": "text\tlabel\na\tmaybe\n" }), {
    message: /^Unknown label "maybe"/, // not bad, but a mistake in the classes
  });
});

Deno.test("a table that says a thing twice is refused, and numbers are decimal", async () => {
  const refused = (name: string, text: string, message: string, task = "classification") =>
    assert.rejects(() => table({ train: name, task }, { [name]: text, "test.tsv": good }), {
      name: "UserError",
      message,
    });
  const twice = 'Cannot read the columns of "a.tsv" as two have the name "label": rename one';
  await refused("a.tsv", "text\tlabel\tlabel\na\tx\ty\n", twice);
  const key = 'Cannot read line 1 of "a.jsonl" as it has the key "label" twice in one object';
  await refused("a.jsonl", '{"text": "a", "label": 1, "label": 2}\n', key);
  for (const label of ["0x10", "1e39", "Infinity", "1_0"]) {
    const message = `Cannot read the label "${label}" on line 2 of "a.tsv": a number is needed`;
    await refused("a.tsv", `text\tlabel\na\t${label}\n`, message, "regression");
  }
});

Deno.test("every task of GLUE reads its files' columns", async () => {
  const files = {
    "cola/train.tsv": "gj04\t1\t\tWe sleep .\ngj04\t0\t*\tSleep we the .\n",
    "sst2/train.tsv": "sentence\tlabel\nhide new secretions\t0\ncontains no wit\t1\n",
    "mrpc/train.tsv":
      '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tHe said so\tSo "he said\n0\t1\t2\tA\tB\n',
    "qqp/train.tsv":
      "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tHow?\tWhy?\t0\n2\t2\t3\tHow?\tHow?\t1\n",
    "stsb/train.tsv":
      "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tm\tM\t2\t1\tn\tn\tA plane\tA bird\t5.000\n",
    "mnli/train.tsv": "index\tsentence1\tsentence2\tgold_label\n0\tA\tB\tneutral\n1\tA\tB\tentailment\n",
    "qnli/train.tsv": "index\tquestion\tsentence\tlabel\n0\tWhen?\tThen.\tentailment\n1\tWho?\tHe.\tnot_entailment\n",
    "rte/train.tsv": "index\tsentence1\tsentence2\tlabel\n0\tA\tB\tnot_entailment\n",
    "wnli/train.tsv": "index\tsentence1\tsentence2\tlabel\n0\tA\tB\t1\n",
  };
  for (const [name, text] of Object.entries(files)) {
    const task = name.slice(0, name.indexOf("/"));
    const development = task === "mnli" ? ["dev_matched.tsv", "dev_mismatched.tsv"] : ["dev.tsv"];
    const all = Object.fromEntries([[name, text], ...development.map((file) => [`${task}/${file}`, text])]);
    const { input, splits } = await loadTexts(glue, { task, folder: task, ...small }, all);
    assert.equal(input.task, task === "stsb" ? "regression" : "classification", task);
    const { label, types } = splits.train.batch(Uint32Array.of(0));
    const expected = { cola: 1, sst2: 0, mrpc: 1, qqp: 0, stsb: 5, mnli: 2, qnli: 0, rte: 1, wnli: 1 }[task];
    assert.deepEqual([...label.data], [expected], task);
    assert.equal(types.data.includes(1), !["cola", "sst2"].includes(task), task);
    assert.deepEqual(Object.keys(splits).includes("mismatched"), task === "mnli");
  }
});

Deno.test("GLUE's classes may be in the order of a teacher's logits", async () => {
  const rows = "index\tsentence1\tsentence2\tgold_label\n0\tA\tB\tneutral\n1\tA\tB\tcontradiction\n";
  const files = { "m/train.tsv": rows, "m/dev_matched.tsv": rows, "m/dev_mismatched.tsv": rows };
  const load = (task: string, classes: string[]) => loadTexts(glue, { task, folder: "m", classes, ...small }, files);
  const classes = ["entailment", "neutral", "contradiction"];
  const { input, splits } = await load("mnli", classes);
  assert.deepEqual(input.classes, classes);
  assert.deepEqual([...splits.train.batch(Uint32Array.of(0, 1)).label.data], [1, 2]);
  await assert.rejects(load("mnli", ["entailment", "neutral"]), {
    message:
      "Cannot take entailment and neutral as the task's classes: expected contradiction, entailment and neutral, " +
      "in any order",
  });
  await assert.rejects(load("stsb", ["0"]), {
    message: "Cannot put the classes of a regression in order: expected null for classes",
  });
});

Deno.test("texts of GLUE's development sets that are training texts, too, are told", async () => {
  const head = "index\tsentence1\tsentence2\tlabel\n";
  const files = { "r/train.tsv": `${head}0\tA\tB\t0\n1\tB\tA\t1\n`, "r/dev.tsv": `${head}0\tC\tB\t0\n1\tB\tA\t1\n` };
  const options = { task: "wnli", folder: "r", ...small };
  const { warnings } = await loadTexts(glue, options, files);
  assert.deepEqual(warnings, [
    '1 of the 2 texts of the split "test" are training texts, too, letter for letter (line 3 of "r/dev.tsv" is line 3 ' +
    'of "r/train.tsv"): what is measured on them says nothing of new texts',
  ]);
});

Deno.test("lines of QQP that lack cells are left out, of other tasks they are refused", async () => {
  const whole = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tHow?\tWhy?\t0\n";
  const load = (task: string, text: string) =>
    loadTexts(glue, { task, folder: "q", ...small }, { "q/train.tsv": text, "q/dev.tsv": text });
  const { splits } = await load("qqp", `${whole}2\t3\t4\tHow\n5\n3\t2\t3\tHow?\tHow?\t1\n`);
  assert.deepEqual([...splits.train.batch(Uint32Array.of(0, 1)).label.data], [0, 1]);
  assert.equal(splits.train.length, 2);
  await assert.rejects(load("qqp", `${whole}2\t3\n3\t2\t3\tHow?\tHow?\tmaybe\n`), { message: /"maybe" on line 4/ });
  await assert.rejects(load("qqp", `${whole}2\t3\t4\tHow?\tWhy?\t0\t1\n`), { message: /^Cannot read line 3 / });
  await assert.rejects(load("rte", "index\tsentence1\tsentence2\tlabel\n0\tA\n"), { message: /^Cannot read line 2 / });
});

Deno.test("texts that stand in two splits, and classes that one lacks, are told", async () => {
  const test = "text\tlabel\nfine\tyes\ngood day\tno\nfine\t\n";
  const { warnings } = await table({}, { "train.tsv": good, "test.tsv": test });
  assert.deepEqual(warnings, [
    '1 of the 3 texts of the split "test" are training texts, too, letter for letter (line 3 of "test.tsv" is line 2 of ' +
    '"train.tsv"): what is measured on them says nothing of new texts',
  ]);
  const further = await table({ unlabelled: ["more.tsv"] }, {
    "train.tsv": good,
    "test.tsv": "text\tlabel\nx\tyes\ny\tno\n",
    "more.tsv": "text\nz\ny\n",
  });
  assert.match(further.warnings![0], /^1 of the 2 texts .* \(line 3 of "test\.tsv" is line 3 of "more\.tsv"\): /);
  const lacking = await table({ more: { val: "val.tsv" } }, {
    "train.tsv": good,
    "test.tsv": "text\tlabel\nx\tyes\ny\tno\n",
    "val.tsv": "text\tlabel\nnice\tyes\nwell\tyes\n",
  });
  assert.deepEqual(lacking.warnings, [
    'the split "val" has no text of "no": what is measured on it says nothing of that',
  ]);
  const sets = (...rows: string[]) => ["text\tlabel", ...rows, ""].join("\n");
  const several = await table({ task: "multi-label", separator: ",", none: "-" }, {
    "train.tsv": sets("a\tx,y", "b\ty", "c\t-"),
    "test.tsv": sets("d\ty", "e\t-"),
  });
  assert.deepEqual(several.warnings, [
    'the split "test" has no text of "x": what is measured on it says nothing of that',
  ]);
});

Deno.test("a split whose examples are all of no class lacks every class", async () => {
  const options = { task: "multi-label", classes: ["x", "y"], separator: ",", none: "-" };
  const files = { "train.tsv": "text\tlabel\na\tx,y\nb\ty\n", "test.tsv": "text\tlabel\nc\t-\n" };
  assert.match((await table(options, files)).warnings!.join(), /^the split "test" has no text of "x" and "y": /);
});

Deno.test("a table without labels is refused where nothing names the classes, and one class is none", async () => {
  const bare = "text\na\nb\n";
  const refused = (train: string, message: RegExp, options: Record<string, unknown> = {}) =>
    assert.rejects(table(options, { "train.tsv": train, "test.tsv": good }), { name: "UserError", message });
  await refused(bare, /^Cannot tell the classes by "train\.tsv" as none of its examples has a label: name them/);
  await refused(`${good}`, /^Cannot tell the classes by "train\.tsv" as none/, { label: null });
  await refused("text\tlabel\na\t\nb\t\n", /^Cannot tell the classes by "train\.tsv" as none/);
  await refused(
    "text\tlabel\na\tyes\nb\tyes\nc\t\n",
    /^Cannot tell classes by the column "label" of "train\.tsv": it has 1 different values, and 2 to 1000 are needed$/,
  );
  await refused(bare, /^Cannot read line 3 of "more\.tsv"|^Cannot read "?.*more\.tsv/, {
    classes: ["yes", "no"],
    unlabelled: ["more.tsv"],
  });
  const { splits, warnings } = await table({ classes: ["yes", "no"] }, { "train.tsv": bare, "test.tsv": "text\na\n" });
  assert.deepEqual([[...splits.train.labelled!], [...splits.test.labelled!]], [[0, 0], [0]]);
  assert.equal(
    warnings?.length,
    1,
    "what has no label is measured by agreement alone, which equal texts spoil as well",
  );
});

Deno.test("a test file that is the training file is refused, however its path is written", () => {
  const definitions = [
    { definition: textTable, own: {}, otherwise: ", or testPart" },
    { definition: imageTable, own: { folder: "pictures" }, otherwise: ", or testPart" },
    { definition: conll, own: {}, otherwise: "" },
  ];
  const remote = (hash: string) => ({ url: "https://example.org/a.csv", sha256: hash.repeat(64) });
  for (const { definition, own, otherwise } of definitions) {
    const read = (train: unknown, test: unknown) =>
      definition.options(optionKit).safeParse({ ...own, train, test }).error?.issues;
    const [issue] = read("data/a.csv", "./data//x/../a.csv")!;
    assert.deepEqual([issue.path, issue.message], [
      ["test"],
      'Cannot test on "./data//x/../a.csv" as it is the training file, and what is measured on it says nothing of new ' +
      `examples: expected another file${otherwise}`,
    ]);
    assert.equal(read("data/a.csv", "a.csv"), undefined);
    assert.equal(read(remote("a"), remote("A"))!.length, 1);
    assert.equal(read(remote("a"), remote("b")), undefined);
  }
});

Deno.test("a first line that is one column, with what stands between columns of another format in it, is refused", async () => {
  const refused = (name: string, text: string, message: string) =>
    assert.rejects(() => table({ train: name, test: null, testPart: 0.5 }, { [name]: text }), {
      name: "UserError",
      message,
    });
  const sentence = (file: string, first: string, rest: string) =>
    `Cannot tell the columns of "${file}" by its first line, ${first}: a table of the format ${rest}`;
  const csv = (first: string, other: string) =>
    sentence("a.csv", first, `csv has commas between them, here stands ${other}`);
  await refused("a.csv", "text;label\na;x\n", csv('"text;label"', '";"'));
  await refused("a.csv", "text\tlabel\na\tx\n", csv('"text\\tlabel"', '"\\t"'));
  const tsv = sentence("a.tsv", '"text,label"', 'tsv has tabs between them, here stands ","');
  await refused("a.tsv", "text,label\na,x\n", tsv);
});

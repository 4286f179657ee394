import assert from "node:assert/strict";
import { conll } from "../../../../plugins/datasets/conll.ts";
import { glue } from "../../../../plugins/datasets/glue.ts";
import { mail } from "../../../../plugins/datasets/mail.ts";
import { sortedClasses } from "../../../../plugins/datasets/text/labels.ts";
import { textTable } from "../../../../plugins/datasets/text_table.ts";
import { loadTexts } from "../../../support/text_setup.ts";

const small = { vocabularySize: 40, maxLength: 12 };

/** Loads a table whose copy is the test set. */
const table = (name: string, text: string, options: Record<string, unknown> = {}) =>
  loadTexts(textTable, { train: name, test: `copy-${name}`, ...small, ...options }, {
    [name]: text,
    [`copy-${name}`]: text,
  });

const MEND = "mend it, leave it out, or set onBad to skip, which leaves such examples out";
const lines = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n") + "\n";
const labelsOf = ({ splits }: Awaited<ReturnType<typeof table>>) => [...splits.train.labels!];

Deno.test("labels that are all numbers are in the order of the numbers, others in that of letters", () => {
  assert.deepEqual(sortedClasses(["10", "2", "0", "1", "2"]), ["0", "1", "2", "10"]);
  assert.deepEqual(sortedClasses(["1", "-1", "0"]), ["-1", "0", "1"]);
  assert.deepEqual(sortedClasses(["10.0", "9.0"]), ["9.0", "10.0"]);
  assert.deepEqual(sortedClasses(["10", "2", "b"]), ["10", "2", "b"]);
});

Deno.test("eleven integers of a table are the classes 0 to 10 in this order, in every format", async () => {
  const numbers = Array.from({ length: 11 }, (_, label) => label);
  const eleven = numbers.map(String);
  const jsonl = await table("a.jsonl", lines(...numbers.map((label) => ({ text: "a b", label }))));
  assert.deepEqual([jsonl.input.classes, labelsOf(jsonl)], [eleven, numbers]);
  const csv = await table("a.csv", "text,label\n" + numbers.map((label) => `a b,${label}\n`).join(""));
  assert.deepEqual([csv.input.classes, labelsOf(csv)], [eleven, numbers]);
  const tagged = numbers.map((label) => `word ${label}\n`).join("");
  const { input } = await loadTexts(conll, { train: "a", test: "b", ...small }, { a: tagged, b: tagged });
  assert.deepEqual(input.classes, eleven);
});

Deno.test("classes may be named by numbers and by true and false, as YAML reads them", async () => {
  const rows = lines({ text: "a", label: 2 }, { text: "b", label: 10 });
  const named = await table("a.jsonl", rows, { classes: [10, 2] });
  assert.deepEqual([named.input.classes, labelsOf(named)], [["10", "2"], [1, 0]]);
  const flags = lines({ text: "a", label: true }, { text: "b", label: false });
  assert.deepEqual(labelsOf(await table("a.jsonl", flags, { classes: [false, true] })), [1, 0]);
  const sentences = "a\t1\t\tgood\nb\t0\t\tbad\n";
  const cola = await loadTexts(glue, { task: "cola", folder: "c", classes: [1, 0], ...small }, {
    "c/train.tsv": sentences,
    "c/dev.tsv": sentences,
  });
  assert.deepEqual([...cola.splits.train.labels!], [0, 1]);
  await assert.rejects(() => table("a.jsonl", rows, { classes: [2, "2 "] }), {
    name: "UserError",
    message: 'Cannot use classes as it has "2" twice: expected different names',
  });
});

Deno.test("an empty label, null and no column at all are no label: no class is named by nothing", async () => {
  const expectLabels = async (name: string, text: string, labels: number[], options: Record<string, unknown> = {}) => {
    const { input, splits: { train } } = await table(name, text, options);
    assert.deepEqual([...train.labels!], labels);
    const marks = labels.map((label) => label < 0 ? 0 : 1);
    assert.deepEqual([...train.labelled ?? []], marks);
    const batch = train.batch(Uint32Array.from(labels.keys()).reverse());
    assert.deepEqual([...batch.label.data], labels.toReversed());
    assert.deepEqual([...batch.labelled.data], marks.toReversed());
    assert.deepEqual(input.classes, ["x", "y"]);
  };
  const both = lines({ text: "a", label: "x" }, { text: "b", label: null }, { text: "c", label: "y" }, { text: "d" });
  await expectLabels("a.jsonl", both, [0, -1, 1, -1]);
  await expectLabels("a.jsonl", lines({ text: "a", label: "y" }, { text: "b", label: " " }), [1, -1], {
    classes: ["x", "y"],
  });
  await expectLabels("a.csv", "text,label\na,x\nb,y\nc,\n", [0, 1, -1]);
  await expectLabels("a.tsv", "text\tlabel\na\tx\nb\ty\nc\t  \n", [0, 1, -1]);
  await expectLabels("a.jsonl", lines({ text: "a" }, { text: "b" }), [-1, -1], { classes: ["x", "y"] });
  await expectLabels("a.csv", "text,kind\na,x\n", [-1], { classes: ["x", "y"], label: null });
  const numbers = await table("a.jsonl", lines({ text: "a", label: -1.5 }, { text: "b", label: null }), {
    task: "regression",
  });
  const { label, labelled } = numbers.splits.train.batch(Uint32Array.of(0, 1));
  assert.deepEqual([numbers.splits.train.labels, [...label.data], [...labelled.data]], [null, [-1.5, 0], [1, 0]]);
});

Deno.test("a table whose labels cannot be found by mistake is refused, and so are classes that nothing tells", async () => {
  const refused = (text: string, options: Record<string, unknown>, message: string) =>
    assert.rejects(() => table("a.jsonl", text, options), { name: "UserError", message });
  await refused(
    lines({ text: "a", labels: "x" }),
    { classes: ["x", "y"] },
    'Cannot find the column "label" of the labels in "a.jsonl": it has text and labels; did you mean "labels"?; ' +
      "label: null if it has no labels",
  );
  await refused(
    lines({ text: "a", kind: "x" }),
    { classes: ["x", "y"], label: "sort" },
    'Cannot find the column "sort" of the labels in "a.jsonl": it has text and kind; label: null if it has no labels',
  );
  await refused(
    lines({ text: "a" }, { text: "b" }),
    {},
    'Cannot tell the classes by "a.jsonl" as none of its examples has a label: name them in classes, in the order of ' +
      "the teacher's logits",
  );
});

Deno.test("files of unlabelled texts are training examples behind those of the table", async () => {
  const train = lines({ text: "a", label: "x" }, { text: "b", label: "y" });
  const more = lines({ text: "c", label: "x" }, { text: "d e f" });
  const { splits } = await loadTexts(textTable, {
    train: "a.jsonl",
    test: "c.jsonl",
    unlabelled: ["b.jsonl", "b.jsonl"],
    ...small,
  }, { "a.jsonl": train, "c.jsonl": train, "b.jsonl": more });
  assert.deepEqual([...splits.train.labels!], [0, 1, -1, -1, -1, -1]);
  assert.deepEqual([splits.test.length, splits.test.labelled], [2, undefined]);
});

Deno.test("GLUE's labels are not left out", async () => {
  const rte = "index\tsentence1\tsentence2\tlabel\n0\tA\tB\t\n";
  await assert.rejects(() => loadTexts(glue, { task: "rte", folder: "r", ...small }, { "r/train.tsv": rte }), {
    message: `Cannot use line 2 of "r/train.tsv" as its label is empty: ${MEND}`,
  });
});

Deno.test("a list or a map is no label and no text", async () => {
  const refused = (row: Record<string, unknown>, message: string, options: Record<string, unknown> = {}) =>
    assert.rejects(() => table("a.jsonl", lines({ text: "a", label: 1, other: "c" }, row), options), {
      name: "UserError",
      message: `Cannot use line 2 of "a.jsonl" as ${message}`,
    });
  const one = "expected one class, a text or a number";
  await refused({ text: "b", label: [0, 1] }, `its label is a list, [0,1]: ${one}`);
  await refused({ text: "b", label: [0] }, `its label is a list, [0]: ${one}`);
  await refused({ text: "b", label: { x: 1 } }, `its label is a map, {"x":1}: ${one}`);
  await refused({ text: "b", label: [1.5] }, `its label is a list, [1.5]: expected a number`, { task: "regression" });
  await refused({ text: ["b", "c"], label: "y" }, 'its text is a list, ["b","c"]: expected one text');
  await refused({ text: "b", label: "y", other: {} }, 'its "other" is a map, {}: expected one text', { pair: "other" });
});

Deno.test("spaces around a label do not count, in tables and in classes alike", async () => {
  const padded = await table("a.csv", "text,label\na, spam\nb,spam \nc,ham\n");
  assert.deepEqual([padded.input.classes, labelsOf(padded)], [["ham", "spam"], [1, 1, 0]]);
  const named = await table("a.csv", "text,label\na, spam\nb,ham\n", { classes: ["spam ", "ham"] });
  assert.deepEqual([named.input.classes, labelsOf(named)], [["spam", "ham"], [0, 1]]);
});

Deno.test("a class of e-mails has a name", async () => {
  const files = { "m/a/1": "Subject: x\n\nhello", "m/b/1": "Subject: y\n\nother" };
  await assert.rejects(() => loadTexts(mail, { folder: "m", classes: { "": ["a"], b: ["b"] }, ...small }, files), {
    message: "Cannot use classes as a name in it is empty",
  });
});

import assert from "node:assert/strict";
import { mail } from "../../../plugins/datasets/mail.ts";
import { textTable } from "../../../plugins/datasets/text_table.ts";
import { loadTexts } from "../../support/text_setup.ts";

const files = {
  "texts.jsonl": `{"text": "a dog", "label": "spam"}\n{"text": "a cat"}\n{"text": "no dog"}`,
  "pairs.tsv": "text\tother\tscore\na\tb\t5\nc\td\t\na cat\ta dog\t-0.5",
  "mails/ham/1": "Subject: one\n\nfirst",
  "mails/ham/2": "Subject: two\n\nsecond",
  "mails/spam/1": "Subject: three\n\nthird",
  "mails/spam/2": "Subject: four\n\nfourth",
};
const options = { task: "embedding", train: "texts.jsonl", test: "pairs.tsv", vocabularySize: 30, maxLength: 8 };
const paired = { ...options, pair: "other", label: "score" };

Deno.test("texts and both texts of pairs are examples, and pairs with a score are measured", async () => {
  const { input, splits: { train, test }, warnings } = await loadTexts(textTable, paired, files);
  assert.deepEqual([input.task, input.classes, warnings], ["embedding", [], undefined]);
  assert.deepEqual([train.length, test.length], [3, 6]);
  assert.deepEqual([train.labels, train.labelled, train.pairs], [null, new Uint8Array(3), undefined]);
  assert.deepEqual(test.labelled, Uint8Array.of(1, 1, 0, 0, 1, 1));
  assert.deepEqual(test.pairs, {
    first: Uint32Array.of(0, 4),
    second: Uint32Array.of(1, 5),
    scores: Float32Array.of(5, -0.5),
  });
  const { tokens, types, label } = test.batch(Uint32Array.of(4, 5));
  const single = train.batch(Uint32Array.of(1, 0)).tokens;
  assert.deepEqual(tokens.data, single.data, "each text stands for itself");
  assert.deepEqual([label.data, types.data], [new Float32Array(2), new Float32Array(types.data.length)]);
});

Deno.test("pairs of training are two texts, and their scores are said not to be used", async () => {
  const { splits: { train }, warnings } = await loadTexts(textTable, { ...paired, train: "copy.tsv" }, {
    ...files,
    "copy.tsv": files["pairs.tsv"],
  });
  assert.deepEqual([train.length, train.pairs, train.labelled], [6, undefined, new Uint8Array(6)]);
  assert.deepEqual(warnings, [
    "the scores of 2 training pairs are not used: a student learns from its teacher's vectors",
    '3 of the 3 texts of the split "test" are training texts, too, letter for letter (line 2 of "pairs.tsv" is line 2 ' +
    'of "copy.tsv"): what is measured on them says nothing of new texts',
  ]);
});

Deno.test("what does not go with vectors is refused", async () => {
  const refused: [more: Record<string, unknown>, message: RegExp][] = [
    [{ classes: ["a", "b"] }, /Cannot use classes for embedding/],
    [{ label: "score" }, /Cannot use label for embedding without pair/],
    [{ pair: "othre", label: "score" }, /second texts in "pairs.tsv".* did you mean "other"\?/],
    [{ pair: "second", label: "score" }, /second texts in "texts.jsonl".*pair: null if no table has pairs/],
  ];
  for (const [more, message] of refused) {
    await assert.rejects(loadTexts(textTable, { ...options, ...more }, files), { message });
  }
  const like = { ...paired, text: "other1", pair: "other2" };
  const numbered = { "texts.jsonl": `{"other1": "a dog"}`, "pairs.tsv": "other1\tother2\tscore\na\tb\t5" };
  const { splits: { train } } = await loadTexts(textTable, like, numbered);
  assert.equal(train.length, 1, "a table without pairs has the column of texts, which is no misspelt one of pairs");
  const odd = { ...files, "pairs.tsv": "text\tother\tscore\na\t \t5" };
  await assert.rejects(loadTexts(textTable, paired, odd), { message: /line 2.*its second text is empty/ });
  const word = { ...files, "pairs.tsv": "text\tother\tscore\na\tb\thigh" };
  await assert.rejects(loadTexts(textTable, paired, word), { message: /Cannot read the label "high" on line 2/ });
});

Deno.test("messages become texts without classes", async () => {
  const own = { folder: "mails", classes: { ham: ["ham"], spam: ["spam"] }, test: 0.5, vocabularySize: 30 };
  const { input, splits: { train, test } } = await loadTexts(mail, { ...own, task: "embedding" }, files);
  assert.deepEqual([input.task, input.classes, train.length, test.length], ["embedding", [], 2, 2]);
  assert.deepEqual([test.labels, test.labelled, test.pairs], [null, new Uint8Array(2), undefined]);
});

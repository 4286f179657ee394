import assert from "node:assert/strict";
import { conll } from "../../../plugins/datasets/conll.ts";
import { BadExamples } from "../../../plugins/datasets/text/bad_examples.ts";
import { parseConll, toIob2 } from "../../../plugins/datasets/text/conll_format.ts";
import { loadTexts } from "../../support/text_setup.ts";

const text = `-DOCSTART- -X- O O

# a comment
Anna NNP I-NP B-PER
Smith NNP I-NP I-PER
sleeps VBZ I-VP O

It PRP I-NP O
rains VBZ I-VP O
`;

Deno.test("sentences end at blank lines; headings and comments are none", () => {
  assert.deepEqual(parseConll(text, "x", { word: 0, tag: -1 }), [
    { line: 4, words: ["Anna", "Smith", "sleeps"], tags: ["B-PER", "I-PER", "O"] },
    { line: 8, words: ["It", "rains"], tags: ["O", "O"] },
  ]);
  assert.deepEqual(parseConll(text, "x", { word: 0, tag: 1 })[1].tags, ["PRP", "VBZ"]);
  assert.throws(() => parseConll("a O\nb\n", "x.txt", { word: 0, tag: -1 }), {
    name: "UserError",
    message: 'Cannot use line 2 of "x.txt" as it has 1 column, and the word is column 0, the tag column -1: mend it, ' +
      "leave it out, or set onBad to skip, which leaves such examples out",
  });
  const last = parseConll("a O\nb\nc O\n\nd O\n", "x.txt", { word: 0, tag: -1 }, new BadExamples("skip"));
  assert.deepEqual(last, [{ line: 5, words: ["d"], tags: ["O"] }]);
  assert.deepEqual(parseConll("a O\rb X\r\rc O", "x", { word: 0, tag: -1 }).map(({ words }) => words), [["a", "b"], [
    "c",
  ]]);
});

Deno.test("a sentence may begin with the word #, and comments before it are none", () => {
  const read = (text: string, tag = -1) => parseConll(text, "x", { word: 0, tag }).map(({ words }) => words.join(" "));
  assert.deepEqual(read("#\tB-X\nhello\tO\n\nhi\tO\n# O\n"), ["# hello", "hi #"]);
  const documents =
    "#begin document (x);\n# NN O\n1 CD O\n\n#end document\n# part two\n# a comment of words\nIt PRP O\n";
  assert.deepEqual(read(documents), ["# 1", "It"]);
  assert.deepEqual(read("# # O\n1 CD O\n\n# a comment\nthe DT O\n# # O\n", 1), ["# 1", "the #"]);
  assert.deepEqual(read("# sent_id = 3\n# text = X\na B = 3\nb B = X\n"), ["a b"]);
});

Deno.test("IOB1 becomes IOB2: every span begins with B", () => {
  assert.deepEqual(toIob2(["I-A", "I-A", "B-A", "O", "I-B", "I-A"]), ["B-A", "I-A", "B-A", "O", "B-B", "B-A"]);
  assert.deepEqual(toIob2(["A-I", "A-I", "A-B", "O", "X-I"]), ["A-B", "A-I", "A-B", "O", "X-B"]);
});

Deno.test("only the first token of a word is scored, with the word's tag", async () => {
  const { input, splits } = await loadTexts(
    conll,
    { train: "a.txt", test: "b.txt", vocabularySize: 30, maxLength: 40 },
    { "a.txt": text, "b.txt": text },
  );
  assert.equal(input.task, "tagging");
  assert.deepEqual(input.classes, ["O", "B-PER", "I-PER"]);
  const { tokens, label, mask } = splits.train.batch(Uint32Array.of(0, 1));
  assert.deepEqual(tokens.shape, label.shape);
  const length = label.shape[1];
  const scored = (row: number) => [...label.data.subarray(row * length, (row + 1) * length)].filter((tag) => tag >= 0);
  assert.deepEqual([scored(0), scored(1)], [[1, 2, 0], [0, 0]]);
  assert.equal(label.data[0], -1, "[CLS] is not scored");
  assert.ok(mask.data.every((on, place) => on === 1 || label.data[place] === -1), "padding is not scored");
});

Deno.test("words that do not fit are told of, as they have no tag that is learned or measured", async () => {
  const load = async (maxLength: number) => {
    const files = { "a.txt": "a O\nb O\na O\n\na O\n\na O\nb O\nb O\nb O\n", "b.txt": "b O\nb O\na O\n\nb O\n" };
    return await loadTexts(conll, { train: "a.txt", test: "b.txt", vocabularySize: 30, maxLength }, files);
  };
  assert.deepEqual((await load(4)).warnings, [
    'dataset.maxLength of 4 tokens cuts 1 word in 1 of the 2 sentences of the split "test" and 3 words in 2 of the 3 ' +
    "training sentences: their tags are neither learned nor measured",
  ]);
  assert.match(
    (await load(5)).warnings!.join(),
    /^dataset\.maxLength of 5 tokens cuts 1 word in 1 of the 3 training sentences: /,
  );
  assert.equal((await load(6)).warnings, undefined);
});

Deno.test("sentences that stand in two splits are told, and copies are known", async () => {
  const files = {
    "a.txt": "a O\nb O\n\na O\n\na O\nb X\n",
    "b.txt": "a O\nb O\nc O\n\na O\nb O\n",
    "c.txt": "a,b O\n",
  };
  const options = { train: "a.txt", test: "b.txt", more: { dev: "c.txt" }, vocabularySize: 30 };
  const { splits, warnings } = await loadTexts(conll, options, files);
  const { train, test, dev } = splits;
  assert.equal(train.equal![0], train.equal![2]);
  assert.equal(train.equal![0], test.equal![1]);
  assert.equal(new Set([train, test, dev].flatMap(({ equal }) => [...equal!])).size, 4);
  assert.deepEqual(warnings, [
    '1 of the 2 sentences of the split "test" are training sentences, too, word for word (line 5 of "b.txt" is line ' +
    '6 of "a.txt"): what is measured on them says nothing of new sentences',
  ]);
});

Deno.test("an unknown tag is refused with its line", async () => {
  const files = { "a.txt": text, "b.txt": "He O\nis B-ORG\n" };
  await assert.rejects(() => loadTexts(conll, { train: "a.txt", test: "b.txt", vocabularySize: 30 }, files), {
    name: "UserError",
    message: 'Unknown label "B-ORG" on line 2 of "b.txt": the classes are O, B-PER and I-PER',
  });
});

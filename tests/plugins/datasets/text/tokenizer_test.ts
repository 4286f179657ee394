import assert from "node:assert/strict";
import {
  BERT_FRAME,
  bertTokenizer,
  MPNET_FRAME,
  SPECIAL_TOKENS,
} from "../../../../plugins/datasets/text/bert_tokenizer.ts";
import { openTokenizer } from "../../../../plugins/datasets/text/open_tokenizer.ts";
import { keptLengths, TextTokenizer } from "../../../../plugins/datasets/text/tokenizer.ts";
import { filesOf } from "../../../support/text_setup.ts";

const pieces = [...SPECIAL_TOKENS, "a", "b", "c", "wor", "##ld", ","];
const tokenizer = (maxLength: number) => new TextTokenizer(bertTokenizer(pieces, { lowercase: true }), maxLength);
const tokensOf = (maxLength: number, text: string, pair: string | null = null) =>
  [...tokenizer(maxLength).encode(text, pair).tokens].map((token) => pieces[token]).join(" ");

Deno.test("texts and pairs have their special tokens and segments", () => {
  assert.equal(tokensOf(20, "A World, x"), "[CLS] a wor ##ld , [UNK] [SEP]");
  const { tokens, types } = tokenizer(20).encode("a", "b c");
  assert.deepEqual([...tokens].map((token) => pieces[token]), ["[CLS]", "a", "[SEP]", "b", "c", "[SEP]"]);
  assert.deepEqual([...types], [0, 0, 0, 1, 1, 1]);
});

Deno.test("a second text is no segment of its own in RoBERTa's frame", () => {
  const { tokenizer: files, config } = bertTokenizer(pieces, { lowercase: true });
  const framed = { ...files, post_processor: { type: "RobertaProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] } };
  const { tokens, types } = new TextTokenizer({ tokenizer: framed, config }, 20).encode("a", "b c");
  const names = [...tokens].map((token) => pieces[token]);
  assert.deepEqual(names, ["[CLS]", "a", "[SEP]", "[SEP]", "b", "c", "[SEP]"]);
  assert.deepEqual([...types], [0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("long texts are cut at the end, of a pair the longer one first; special tokens stay", () => {
  assert.equal(tokensOf(4, "a b c"), "[CLS] a b [SEP]");
  assert.equal(tokensOf(6, "a b c a b c", "b"), "[CLS] a b [SEP] b [SEP]");
  assert.equal(tokensOf(7, "a", "b c b c b"), "[CLS] a [SEP] b c b [SEP]");
  assert.equal(tokensOf(8, "a a a a a", "b b b b b"), "[CLS] a a [SEP] b b b [SEP]");
  assert.equal(tokensOf(8, "a a a a a a", "b b b b b"), "[CLS] a a a [SEP] b b [SEP]");
  assert.equal(tokensOf(4, "a b c", ""), "[CLS] a b [SEP]");
  const { types } = tokenizer(6).encode("a b c a b c", "b");
  assert.deepEqual([...types], [0, 0, 0, 0, 1, 1]);
});

Deno.test("where both are cut, an odd token goes to the longer one, of equal ones to the second", () => {
  // As Hugging Face's tokenizers do with `truncation=True`: tests/interop compares them.
  const cases = [[5, 5, 7, 3, 4], [6, 5, 7, 4, 3], [5, 6, 7, 3, 4], [4, 4, 7, 3, 4], [4, 3, 7, 4, 3], [9, 9, 8, 4, 4]];
  for (const [first, second, room, ...kept] of [...cases, [9, 2, 7, 5, 2], [2, 9, 7, 2, 5], [9, 9, 1, 0, 1]]) {
    assert.deepEqual(keptLengths(first, second, room), kept, `${first}, ${second} in ${room}`);
  }
});

Deno.test("what is kept of two texts fills the room and favours neither", () => {
  for (let first = 0; first < 9; first++) {
    for (let second = 0; second < 9; second++) {
      const room = 7;
      const [a, b] = keptLengths(first, second, room);
      assert.ok(a <= first && b <= second, `${first}, ${second}`);
      assert.equal(a + b, Math.min(first + second, room), `${first}, ${second}`);
      if (first + second > room) assert.ok(Math.abs(a - b) <= 1 || a === first || b === second, `${a}, ${b}`);
    }
  }
});

Deno.test("words of a tagged sentence know which tokens are theirs; those that do not fit are left out whole", () => {
  const { tokens, wordOf } = tokenizer(6).encodeWords(["a", "world", "b", "c"]);
  assert.deepEqual([...tokens].map((token) => pieces[token]), ["[CLS]", "a", "wor", "##ld", "b", "[SEP]"]);
  assert.deepEqual([...wordOf], [-1, 0, 1, 1, 2, -1]);
  assert.deepEqual([...tokenizer(5).encodeWords(["a", "b", "world"]).wordOf], [-1, 0, 1, -1]);
});

Deno.test("a word of which nothing is left is unknown, so that the words behind it keep their places", () => {
  const { tokens, wordOf } = tokenizer(9).encodeWords(["a", "\u200b", "\u00ad", "world"]);
  const names = [...tokens].map((token) => pieces[token]);
  assert.deepEqual(names, ["[CLS]", "a", "[UNK]", "[UNK]", "wor", "##ld", "[SEP]"]);
  assert.deepEqual([...wordOf], [-1, 0, 1, 2, 3, 3, -1]);
  const files = bertTokenizer(pieces.map((piece) => piece === "[UNK]" ? "d" : piece), {
    lowercase: true,
    frame: { ...BERT_FRAME, special: BERT_FRAME.special.filter((token) => token !== "[UNK]") },
  });
  assert.throws(() => new TextTokenizer(files, 9).encodeWords(["a", "\u200b"]), {
    name: "UserError",
    message: 'Cannot use the tokenizer: it leaves nothing of the word "\u200b", and has no token for the unknown',
  });
});

Deno.test("a maximum without room for words, and a vocabulary without special tokens, are refused", () => {
  assert.throws(() => tokenizer(3), {
    name: "UserError",
    message: "Cannot cut texts to 3 tokens: 3 special tokens leave no room for words",
  });
  assert.throws(() => bertTokenizer(["[UNK]", "a"], { lowercase: true }), {
    message: /lacks \[PAD\], \[CLS\], \[SEP\]$/,
  });
});

const options = { tokenizer: null as string | null, vocabularySize: 30, lowercase: true, maxLength: 16 };

Deno.test("a trained tokenizer is read again from its files, from vocab.txt, and from a folder of either", async () => {
  const trained = await openTokenizer(options, ["a world a world"], filesOf({}));
  const text = (name: string) => new TextDecoder().decode(trained.files[name]);
  const json = text("tokenizer.json");
  const vocabulary = Object.keys(JSON.parse(json).model.vocab).join("\n") + "\n";
  const files = {
    "saved/tokenizer.json": json,
    "saved/tokenizer_config.json": text("tokenizer_config.json"),
    "old/vocab.txt": vocabulary,
  };
  const expected = trained.tokenizer.encode("a world, world");
  for (const name of ["saved", "saved/tokenizer.json", "old", "old/vocab.txt"]) {
    const { tokenizer } = await openTokenizer({ ...options, tokenizer: name }, [], filesOf(files));
    assert.deepEqual(tokenizer.encode("a world, world"), expected, name);
    assert.deepEqual([tokenizer.vocabulary, tokenizer.padding], [trained.tokenizer.vocabulary, 0], name);
  }
  const missing = openTokenizer({ ...options, tokenizer: "nowhere" }, [], filesOf(files));
  await assert.rejects(missing, {
    name: "UserError",
    message: /^Cannot find a tokenizer in "nowhere": expected a folder with tokenizer.json, vocab.txt, /,
  });
  const broken = openTokenizer({ ...options, tokenizer: "x.json" }, [], filesOf({ "x.json": "{" }));
  await assert.rejects(broken, { name: "UserError", message: /^Cannot read the tokenizer "x.json"/ });
});

const MPNET = ["<s>", "<pad>", "</s>", "<unk>", "[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "<mask>"];

Deno.test("an MPNet's vocab.txt has its own frame, though BERT's special tokens are in it", async () => {
  const vocabulary = MPNET.join("\n") + "\n";
  const kind = (tokenizer_class: string, more = {}) => JSON.stringify({ tokenizer_class, ...more });
  const files = {
    "alone/vocab.txt": vocabulary,
    "told/vocab.txt": vocabulary,
    "told/tokenizer_config.json": kind("MPNetTokenizer", { pad_token: { content: "<pad>" } }),
    "bert/vocab.txt": vocabulary,
    "bert/tokenizer_config.json": kind("BertTokenizer"),
    "other/vocab.txt": vocabulary,
    "other/tokenizer_config.json": kind("BertTokenizer", { cls_token: "<s>" }),
  };
  const open = async (name: string) =>
    (await openTokenizer({ ...options, tokenizer: name }, [], filesOf(files))).tokenizer;
  for (const name of ["alone", "told", "alone/vocab.txt"]) {
    const opened = await open(name);
    const { tokens, types } = opened.encode("A [PAD]", "b <mask>");
    // What transformers 5.24 gives, from a vocab.txt: the brackets are words.
    assert.deepEqual(
      [...tokens].map((token) => MPNET[token]).join(" "),
      "<s> a [UNK] [UNK] [UNK] </s> </s> b <mask> </s>",
    );
    assert.ok(types.every((type) => type === 0), name);
    assert.equal(opened.padding, 1, name);
  }
  const bert = await open("bert");
  assert.deepEqual([...bert.encode("a").tokens].map((token) => MPNET[token]), ["[CLS]", "a", "[SEP]"]);
  assert.equal(bert.padding, 4);
  await assert.rejects(open("other"), {
    name: "UserError",
    message:
      /^Cannot make the tokenizer of "other\/tokenizer_config.json" of its vocab.txt, as its cls_token is "<s>", exp/,
  });
});

Deno.test("the padding token is the one that the files name", () => {
  const paddingOf = (change: Record<string, unknown>, config: Record<string, unknown> = {}) => {
    const { tokenizer } = bertTokenizer(MPNET, { lowercase: true, frame: MPNET_FRAME });
    return new TextTokenizer({ tokenizer: { ...tokenizer, ...change }, config }, 16).padding;
  };
  const added = (id: number) => ({ id, content: MPNET[id], special: true });
  assert.equal(paddingOf({}), 1);
  assert.equal(paddingOf({ added_tokens: [] }), 4, "the usual one");
  assert.equal(paddingOf({ added_tokens: [], padding: { pad_token: "<pad>" } }), 1);
  assert.equal(paddingOf({ added_tokens: [added(4)] }), 4);
  assert.equal(paddingOf({}, { pad_token: "a" }), 8);
  assert.equal(paddingOf({}, { pad_token: { content: "[PAD]" } }), 4);
  assert.equal(paddingOf({}, { pad_token: "nowhere" }), 1);
});

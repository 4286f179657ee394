import assert from "node:assert/strict";
import { SPECIAL_TOKENS } from "../../../../plugins/datasets/text/bert_tokenizer.ts";
import { trainVocabulary } from "../../../../plugins/datasets/text/train_vocabulary.ts";
import { countWords } from "../../../../plugins/datasets/text/word_counts.ts";

Deno.test("words are counted as BERT splits them: small letters, without accents, punctuation apart", () => {
  const counts = countWords(["Hello, h\u00e9llo!", "HELLO"], true);
  assert.deepEqual(Object.fromEntries(counts), { hello: 3, ",": 1, "!": 1 });
  assert.deepEqual([...countWords(["Hello"], false).keys()], ["Hello"]);
});

Deno.test("words are counted as they will be split: sigma has one small letter, each Chinese character is a word", () => {
  assert.deepEqual([...countWords(["ΣΑΣ 𠀀b"], true)], [["σασ", 1], ["𠀀", 1], ["b", 1]]);
});

Deno.test("the most frequent neighbours become one piece first", () => {
  // a ##b 5 + 3 times, ##b ##c 3 times; then (ab, ##c) 3 times.
  const vocabulary = trainVocabulary(new Map([["ab", 5], ["abc", 3]]), 30);
  assert.deepEqual(vocabulary, [...SPECIAL_TOKENS, "##b", "##c", "a", "ab", "abc"]);
});

Deno.test("equal counts are decided by the pieces, whatever the order of the words", () => {
  const words: [string, number][] = [["xy", 4], ["pq", 4], ["xyz", 2], ["aaaa", 3]];
  assert.deepEqual(trainVocabulary(new Map(words), 40), trainVocabulary(new Map(words.toReversed()), 40));
});

Deno.test("a vocabulary has the size that was asked for, and pairs that occur once are not learned", () => {
  const counts = countWords(["the cat sat on the mat", "the hat sat on the cat"], true);
  assert.equal(trainVocabulary(counts, 20).length, 20);
  const all = trainVocabulary(counts, 1000);
  assert.ok(all.includes("the") && all.includes("cat"));
  assert.ok(!all.includes("hat"), "it occurs once");
  assert.equal(new Set(all).size, all.length);
});

Deno.test("repeated letters are merged from the left, and merging again goes on with what is there", () => {
  const vocabulary = trainVocabulary(new Map([["aaaaa", 3]]), 40);
  assert.deepEqual(vocabulary.slice(5, 7), ["##a", "a"]);
  assert.ok(vocabulary.includes("aaaaa"));
});

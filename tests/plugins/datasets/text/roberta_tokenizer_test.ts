import assert from "node:assert/strict";
import { openTokenizer } from "../../../../plugins/datasets/text/open_tokenizer.ts";
import golden from "../../../golden/roberta_tokenizer.json" with { type: "json" };
import { conll } from "../../../../plugins/datasets/conll.ts";
import { filesOf, loadTexts } from "../../../support/text_setup.ts";

const options = { tokenizer: "roberta", vocabularySize: 30, lowercase: true, maxLength: 512 };

/** The files of a folder; `more` are pieces at the end of the vocabulary. */
function folder(files: Record<string, unknown>, more: readonly string[] = []): Record<string, string> {
  const pieces = [...golden.vocabulary, ...more];
  return {
    "roberta/vocab.json": JSON.stringify(Object.fromEntries(pieces.map((piece, number) => [piece, number]))),
    "roberta/merges.txt": golden.merges,
    ...Object.fromEntries(Object.entries(files).map(([name, value]) => [`roberta/${name}`, JSON.stringify(value)])),
  };
}

const open = (files: Record<string, string>) => openTokenizer(options, [], filesOf(files));
const numbersOf = (ids: string) => ids.split(" ").map((id) => parseInt(id, 16));

for (const { files, more, ids } of golden.cases) {
  Deno.test(`tokens of odd strings are RobertaTokenizer's with ${JSON.stringify(files)}, read and read again`, async () => {
    const first = await open(folder(files, more));
    const texts = Object.entries(first.files).map(([name, bytes]) =>
      [`roberta/${name}`, new TextDecoder().decode(bytes)] as const
    );
    const again = await open(Object.fromEntries(texts));
    const inputs = [
      ...golden.texts.map((text) => [text, null] as const),
      ...golden.pairs.map(([a, b]) => [a, b] as const),
    ];
    const wrong = inputs.flatMap(([text, pair], index) => {
      return [first, again].flatMap(({ tokenizer }) => {
        const own = [...tokenizer.encode(text, pair).tokens];
        const expected = numbersOf(ids[index]);
        return own.join() === expected.join() ? [] : [[text, pair, own.join(" "), expected.join(" ")]];
      });
    });
    assert.deepEqual(wrong, []);
  });
}

Deno.test("files that make no tokenizer of RoBERTa's are refused in one sentence", async () => {
  const refused = (files: Record<string, string>, message: RegExp) =>
    assert.rejects(() => open(files), { name: "UserError", message });
  const python = "this line of Python \\(pip install transformers\\) makes the tokenizer\\.json that is needed: from " +
    'transformers import AutoTokenizer; AutoTokenizer\\.from_pretrained\\("roberta"\\)\\.save_pretrained\\("roberta"\\)$';
  const config = (value: unknown) => folder({ "tokenizer_config.json": value });
  await refused(
    config({ tokenizer_class: "GPT2Tokenizer" }),
    new RegExp(`^Cannot make the tokenizer of "roberta" of vocab\\.json: it is for a GPT2Tokenizer, .*; ${python}`),
  );
  await refused(
    { ...folder({}), "roberta/merges.txt": "#version: 0.2\nt h</w>\n" },
    new RegExp(`its merges\\.txt is not byte-level BPE, .*; ${python}`),
  );
  await refused(
    { "roberta/sentencepiece.bpe.model": "x" },
    new RegExp(`^Cannot read the tokenizer in "roberta" as sentencepiece\\.bpe\\.model is SentencePiece's: ${python}`),
  );
  await refused(
    { ...folder({}), "roberta/merges.txt": [...golden.merges.split("\n").slice(0, 2), "t h e", ""].join("\n") },
    /: line 3 of merges\.txt, "t h e", is no pair of pieces that make another$/,
  );
  await refused({ ...folder({}), "roberta/merges.txt": "t qqq\n" }, /: line 1 of merges\.txt, "t qqq", is no pair/);
  await refused({ ...folder({}), "roberta/vocab.json": '{ "a": -1 }' }, /: "a" has the number -1$/);
  await refused(
    { ...folder({}), "roberta/vocab.json": "[]" },
    /"roberta\/vocab\.json" as it is \[\]: expected a JSON object$/,
  );
  await refused(
    { ...folder({}), "roberta/vocab.json": '{ "a": 0 }' },
    /: it lacks <s>, <\/s>, <pad>, which frame texts$/,
  );
  await refused(config({ cls_token: "[CLS]" }), /: it lacks \[CLS\], which frame texts$/);
  await refused(config({ cls_token: 3 }), /: cls_token is 3, expected a text$/);
  await refused(
    config({ add_prefix_space: "yes" }),
    /: add_prefix_space of tokenizer_config\.json is "yes", expected true/,
  );
  await refused(folder({ "added_tokens.json": { x: "1" } }), /: added_tokens\.json numbers "x" as "1"$/);
  await refused(config({ added_tokens_decoder: { a: "x" } }), /: added_tokens_decoder has no token at a$/);
  const pointer = "version https://git-lfs.github.com/spec/v1\n";
  await refused(
    { ...folder({}), "roberta/merges.txt": pointer },
    /^Cannot read the vocabulary "roberta\/merges\.txt" as it is a pointer of git-lfs, /,
  );
  await refused(
    { ...folder({}), "roberta/vocab.json": pointer },
    /^Cannot read the tokenizer .* as it is a pointer of git-lfs, /,
  );
});

Deno.test("byte-level tokens of a tokenizer.json are Hugging Face's, too, by Unicode's white space", async () => {
  const { files } = await open(folder({ "tokenizer_config.json": { add_prefix_space: true } }));
  const tokenizer = JSON.parse(new TextDecoder().decode(files["tokenizer.json"]));
  // As files of other models have it.
  tokenizer.pre_tokenizer = { type: "Sequence", pretokenizers: [tokenizer.pre_tokenizer] };
  const { tokenizer: own } = await open({ "roberta/tokenizer.json": JSON.stringify(tokenizer) });
  const at = golden.texts.indexOf("a \u0085b");
  assert.deepEqual([...own.encode(golden.texts[at]).tokens], numbersOf(golden.cases[1].ids[at]));
});

Deno.test("words of tagged sentences have the space before them, and the saved tokenizer says so", async () => {
  const files = { ...folder({}), "a.txt": "the O\ntheme B-A\n<mask> O\nother O\n\nthe O\n" };
  const { tokenizer: spaced } = await open(folder({ "tokenizer_config.json": { add_prefix_space: true } }));
  const words = ["the", "theme", "<mask>", "other"];
  const expected = words.flatMap((word) => [...spaced.encode(word).tokens].slice(1, -1));
  const { tokenizer, files: asTheyWere } = await open(files);
  assert.deepEqual([...tokenizer.encodeWords(words).tokens].slice(1, -1), expected);
  assert.deepEqual([...spaced.encodeWords(words).tokens].slice(1, -1), expected);
  assert.notDeepEqual([...tokenizer.encode("the").tokens].slice(1, -1), expected.slice(0, 1), "a text begins bare");

  const saysSpace = (saved: Readonly<Record<string, Uint8Array>>) => {
    const [whole, config] = ["tokenizer.json", "tokenizer_config.json"].map((name) =>
      JSON.parse(new TextDecoder().decode(saved[name]))
    );
    const { pre_tokenizer: splitter, post_processor: framing } = whole;
    return [splitter, framing, config].map(({ add_prefix_space }) => add_prefix_space);
  };
  assert.deepEqual(saysSpace(asTheyWere), [false, false, false]);
  const { input, retokenise } = await loadTexts(conll, {
    ...{ train: "a.txt", test: "b.txt", tokenizer: "roberta", maxLength: 40 },
  }, { ...files, "b.txt": files["a.txt"] });
  assert.deepEqual(saysSpace(input.text!.files), [true, true, true]);
  assert.equal(await retokenise!("roberta"), null, "it is the same one");
});

import assert from "node:assert/strict";
import { markSpans, spansOf } from "../../../core/evaluate/metrics/spans.ts";
import { parseConll, type TaggedSentence } from "../../../plugins/datasets/text/conll_format.ts";

const folder = new URL("../../../plugins/datasets/data/speech-phrases/", import.meta.url);

async function read(name: string): Promise<TaggedSentence[]> {
  return parseConll(await Deno.readTextFile(new URL(name, folder)), name, { word: 0, tag: 1 });
}

Deno.test("the tagged speeches hold as many sentences as their README says, none but thanks in both splits", async () => {
  const [train, test] = await Promise.all([read("train.conll"), read("test.conll")]);
  const readme = await Deno.readTextFile(new URL("README.md", folder));
  const counts = [train, test].map(({ length }) => length.toLocaleString("en"));
  assert.ok(readme.startsWith(`- ${counts[0]} training and ${counts[1]} test sentences`), `${counts}`);
  const known = new Set(train.map(({ words }) => words.join(" ")));
  const repeated = new Set(test.map(({ words }) => words.join(" ")).filter((sentence) => known.has(sentence)));
  assert.deepEqual([...repeated], ["Thank you very much ."], "which every president says");
});

Deno.test("the speeches' tags are phrases in IOB2, all kinds of them in both splits", async () => {
  for (const name of ["train.conll", "test.conll"]) {
    const sentences = await read(name);
    const tags = new Set(sentences.flatMap(({ tags }) => tags));
    const kinds = ["ADJP", "ADVP", "NP", "PP", "VP"];
    const expected = [...kinds.map((kind) => `B-${kind}`), "I-ADJP", "I-ADVP", "I-NP", "I-VP", "O"];
    assert.deepEqual([...tags].sort(), expected.sort());
    assert.ok(markSpans([...tags]));
    for (const { tags } of sentences) {
      const begins = tags.filter((tag) => tag.startsWith("B-")).length;
      assert.equal(spansOf(tags).length, begins, "every span begins with B");
    }
  }
});

import assert from "node:assert/strict";
import { markSpans, spanScores, spanScoresOf, spansOf } from "../../../../core/evaluate/metrics/spans.ts";

const tags = (text: string) => text.split(" ");
const spans = (text: string) => spansOf(tags(text)).map(({ type, begin, end }) => `${type} ${begin}-${end}`);

Deno.test("spans begin at B, go on at I and end before O, another B, another type or the end", () => {
  assert.deepEqual(spans("O B-PER I-PER O B-LOC"), ["PER 1-3", "LOC 4-5"]);
  assert.deepEqual(spans("B-PER B-PER I-PER"), ["PER 0-1", "PER 1-3"]);
  assert.deepEqual(spans("B-PER I-LOC I-LOC"), ["PER 0-1", "LOC 1-3"]);
  assert.deepEqual(spans("O O"), []);
});

Deno.test("an I without a span before it begins one, so IOB1 is understood", () => {
  assert.deepEqual(spans("I-PER I-PER O I-PER B-PER"), ["PER 0-2", "PER 3-4", "PER 4-5"]);
});

Deno.test("types may hold hyphens", () => {
  assert.deepEqual(spans("B-a-b I-a-b I-a-c"), ["a-b 0-2", "a-c 2-3"]);
});

Deno.test("a span is right if its type and both ends are; F1 is counted over all sequences", () => {
  const truth = ["B-PER I-PER O B-LOC", "O B-ORG I-ORG O", "B-PER"].map(tags);
  // Right: LOC in the first and PER in the last. Too short: PER. Of another type: MISC.
  const predicted = ["B-PER O O B-LOC", "O B-MISC I-MISC O", "B-PER"].map(tags);
  assert.deepEqual(spanScores(truth, predicted), { precision: 2 / 4, recall: 2 / 4, f1: 2 / 4 });
  const fewer = ["O O O B-LOC", "O O O O", "B-PER"].map(tags);
  assert.deepEqual(spanScores(truth, fewer), { precision: 1, recall: 2 / 4, f1: 2 / 3 });
  assert.deepEqual(spanScores(truth, truth), { precision: 1, recall: 1, f1: 1 });
});

Deno.test("without any span the scores are 0, not NaN", () => {
  assert.deepEqual(spanScores([tags("O O")], [tags("O O")]), { precision: 0, recall: 0, f1: 0 });
  assert.deepEqual(spanScores([tags("O O")], [tags("O B-X")]), { precision: 0, recall: 0, f1: 0 });
});

Deno.test("tokens without a label are left out, whatever is predicted there, and batches count together", () => {
  const classes = ["O", "B-X", "I-X"];
  // B-X, a piece of the word, I-X; then padding. A span across the piece counts as one.
  const label = { data: Float32Array.of(-1, 1, -1, 2, 0, -1, -1, 0, 1, -1, -1, -1), shape: [2, 6] };
  const right = [2, 1, 0, 2, 0, -1, 1, 0, 1, 2, 2, -1];
  assert.deepEqual(spanScoresOf([label], [right], classes), { precision: 1, recall: 1, f1: 1 });
  assert.equal(spanScoresOf([label], [right.with(3, 0)], classes).f1, 1 / 2);
  const other = { data: Float32Array.of(1, 1), shape: [1, 2] };
  assert.equal(spanScoresOf([label, other], [right, [0, 0]], classes).recall, 2 / 4);
});

Deno.test("tags mark spans if they are O and B- or I- with a type, and at least one begins a span", () => {
  assert.equal(markSpans(["O", "B-X", "I-X"]), true);
  assert.equal(markSpans(["NOUN", "VERB"]), false);
  assert.equal(markSpans(["O"]), false);
  assert.equal(markSpans(["O", "B-X", "NOUN"]), false);
});

import assert from "node:assert/strict";
import {
  describeTags,
  markSpans,
  schemeOf,
  spanScores,
  spanScoresOf,
  spansOf,
} from "../../../../core/evaluate/metrics/spans.ts";
import { assertClose } from "../../../support/numbers.ts";
import seqeval from "../../../golden/spans.json" with { type: "json" };

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
  const scores = (predicted: string[][]) => {
    const { precision, recall, f1 } = spanScores(truth, predicted);
    return { precision, recall, f1 };
  };
  assert.deepEqual(scores(predicted), { precision: 2 / 4, recall: 2 / 4, f1: 2 / 4 });
  const fewer = ["O O O B-LOC", "O O O O", "B-PER"].map(tags);
  assert.deepEqual(scores(fewer), { precision: 1, recall: 2 / 4, f1: 2 / 3 });
  assert.deepEqual(scores(truth), { precision: 1, recall: 1, f1: 1 });
});

Deno.test("without any span the scores are 0, not NaN", () => {
  const none = { precision: 0, recall: 0, f1: 0 };
  const { averages, ...without } = spanScores([tags("O O")], [tags("O O")]);
  assert.deepEqual(without, { ...none, types: [] });
  assert.deepEqual(new Set(Object.values(averages)), new Set([0]));
  const types = [{ type: "X", spans: 0, predicted: 1, ...none }];
  assert.deepEqual(spanScores([tags("O O")], [tags("O B-X")]).types, types);
});

Deno.test("tokens without a label are left out, whatever is predicted there, and batches count together", () => {
  const classes = ["O", "B-X", "I-X"];
  // B-X, a piece of the word, I-X; then padding. A span across the piece counts as one.
  const label = { data: Float32Array.of(-1, 1, -1, 2, 0, -1, -1, 0, 1, -1, -1, -1), shape: [2, 6] };
  const right = [2, 1, 0, 2, 0, -1, 1, 0, 1, 2, 2, -1];
  const all = { precision: 1, recall: 1, f1: 1 };
  assert.deepEqual(spanScoresOf([label], [right], classes).types, [{ type: "X", spans: 2, predicted: 2, ...all }]);
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

Deno.test("a scheme is known by its letters, and by whether they stand first, last or alone", () => {
  const known = (text: string) => {
    const scheme = schemeOf(tags(text));
    return scheme && `${scheme.name} ${scheme.place}`;
  };
  assert.equal(known("O B-PER I-PER"), "BIO prefix");
  assert.equal(known("I-PER O"), "BIO prefix");
  assert.equal(known("O S-LOC B-PER E-PER"), "BIOES prefix");
  assert.equal(known("O U-LOC B-PER L-PER I-PER"), "BILOU prefix");
  assert.equal(known("PER-B PER-I O"), "BIO suffix");
  assert.equal(known("PER-S LOC-B LOC-E O"), "BIOES suffix");
  assert.equal(known("B_PER I_PER O"), "BIO prefix");
  assert.equal(known("B M E S"), "BMES bare");
  assert.equal(known("O B I"), "BIO bare");
  assert.equal(known("B-PER M-PER E-PER W-PER O"), "BMEWO prefix");
  for (const none of ["O", "NOUN VERB", "B-PER NOUN", "O B", "B-PER PER-I", "L-PER M-PER", "X-PER O", "SYM-X PUNCT"]) {
    assert.equal(known(none), null, none);
  }
});

Deno.test("a line says how tags are scored", () => {
  assert.equal(
    describeTags(tags("O S-LOC B-PER E-PER")),
    "the tags mark spans in BIOES, the letter first (S-LOC): f1 is that of whole spans",
  );
  assert.equal(
    describeTags(tags("PER-B PER-I O")),
    "the tags mark spans in BIO, the letter last (PER-B): f1 is that of whole spans",
  );
  assert.equal(
    describeTags(["B-X\nY", "I-X\nY"]),
    "the tags mark spans in BIO, the letter first (B-X\\nY): f1 is that of whole spans",
  );
  assert.equal(describeTags(tags("B I O")), "the tags mark spans in BIO (B): f1 is that of whole spans");
  assert.equal(
    describeTags(["NOUN", "VERB"]),
    "the tags mark no spans (as B-X, I-X and O would): each is scored alone",
  );
});

for (const { scheme, place, true: truth, predicted, averages, ...expected } of seqeval.cases) {
  Deno.test(`spans of ${scheme}, ${place}, are seqeval's, also where tags break the scheme`, () => {
    const [own, guessed] = [truth, predicted].map((sequences) => sequences.map(tags));
    const found = schemeOf(own.flat())!;
    assert.deepEqual([found.name, found.place], [scheme, place]);
    assert.deepEqual(
      own.map((sequence) => spansOf(sequence, found).map(({ type, begin, end }) => `${type} ${begin}-${end}`)),
      expected.spans.map((all) => all === "" ? [] : all.split(", ")),
    );
    const scores = spanScores(own, guessed, found);
    for (const name of ["precision", "recall", "f1"] as const) assertClose([scores[name]], [expected[name]], 1e-12);
    for (const [name, value] of Object.entries(averages)) {
      assertClose([scores.averages[name as "f1Macro"]], [value], 1e-12);
    }
  });
}

import assert from "node:assert/strict";
import { answerOf } from "../../../tasks/predict/answers.ts";
import { showAnswers } from "../../../tasks/predict/show.ts";

const plain = { strong: (text: string) => text, warning: (text: string) => text };
const options = { top: 2, threshold: 0.5 };

/** Logits whose softmax is 1/7, 4/7, 2/7. */
const logits = Float32Array.of(0, Math.log(4), Math.log(2));
const three = { task: "classification", classes: ["a", "b", "c"] } as const;

const rounded = (value: unknown) =>
  JSON.parse(JSON.stringify(value), (_, own) => typeof own === "number" ? Number(own.toFixed(6)) : own);

Deno.test("a class has the probability of the softmax, and the most probable ones beside it", () => {
  const answer = answerOf(three, { logits, cut: false }, options);
  assert.deepEqual(rounded(answer), {
    label: "b",
    probability: 0.571429,
    top: [{ label: "b", probability: 0.571429 }, { label: "c", probability: 0.285714 }],
  });
  const all = answerOf(three, { logits, cut: true }, { ...options, top: 9 });
  assert.deepEqual("top" in all && [all.top.length, all.cut], [3, true]);
  // exp of these is beyond all numbers.
  const large = answerOf(three, { logits: Float32Array.of(900, 1000, 0), cut: false }, options);
  assert.deepEqual("probability" in large && large.probability, 1);
  assert.deepEqual(showAnswers("classification", [{ input: "so\nlong", line: 3, ...answer }], plain), [
    "input     label  probability  next",
    "so\\nlong  b          57.14 %  c 28.57 %",
  ]);
  // Pictures of a folder far away are told apart by their own names.
  const pictures = ["one.png", "two\n.png"].map((name) => ({ input: `${"folder/".repeat(12)}${name}`, ...answer }));
  const shown = showAnswers("classification", pictures, plain, true).map((line) => line.split(" ")[0]);
  assert.deepEqual(shown.map((name) => name.slice(-10)), ["input", "er/one.png", "/two\\n.png"]);
  assert.deepEqual(shown.slice(1).map((name) => [name.slice(0, 3), name.length]), [["...", 50], ["...", 51]]);
});

Deno.test("of several labels those from the threshold on are the answer, and there may be none", () => {
  const several = { ...three, task: "multi-label" } as const;
  const scores = Float32Array.of(Math.log(3), -Math.log(3), 0);
  const at = (threshold: number) => answerOf(several, { logits: scores, cut: false }, { ...options, threshold });
  assert.deepEqual(rounded(at(0.5)), {
    labels: [{ label: "a", probability: 0.75 }, { label: "c", probability: 0.5 }],
    top: [{ label: "a", probability: 0.75 }, { label: "c", probability: 0.5 }],
  });
  const lines = showAnswers("multi-label", [at(0.7), at(0.9)].map((own) => ({ input: "x", ...own })), plain);
  assert.deepEqual(lines, [
    "input  labels     next",
    "x      a 75.00 %  c 50.00 %",
    "x      none       a 75.00 %, c 50.00 %",
  ]);
});

Deno.test("a regression answers its number", () => {
  const answer = answerOf(
    { task: "regression", classes: [] },
    { logits: Float32Array.of(2.5), cut: false },
    options,
  );
  assert.deepEqual(answer, { value: 2.5 });
  assert.deepEqual(showAnswers("regression", [{ input: "a", pair: "b", ...answer }], plain), [
    "input   value",
    "a | b  2.5000",
  ]);
});

Deno.test("words have their tags and spans, and probabilities unless tags are chosen together", () => {
  const tagger = { task: "tagging", classes: ["O", "B-PER", "I-PER"] } as const;
  const words = ["Ada", "Lovelace", "wrote", "much"];
  const tags = [1, 2, 0].map((index) => ({ logits, class: index }));
  const answer = answerOf(tagger, { words, tags, together: true, cut: true }, options);
  assert.deepEqual(answer, {
    words: [{ word: "Ada", tag: "B-PER" }, { word: "Lovelace", tag: "I-PER" }, { word: "wrote", tag: "O" }],
    spans: [{ type: "PER", begin: 0, end: 2, text: "Ada Lovelace" }],
    cut: true,
  });
  assert.deepEqual(showAnswers("tagging", [{ input: words, ...answer }], plain), [
    "Ada       B-PER",
    "Lovelace  I-PER",
    "wrote     O",
    "PER: Ada Lovelace",
  ]);
  const apart = answerOf(tagger, { words, tags, together: false, cut: false }, options);
  assert.deepEqual(
    "words" in apart && apart.words.map(({ probability }) => probability?.toFixed(6)),
    ["0.571429", "0.285714", "0.142857"],
  );
  const parts = answerOf(
    { ...tagger, classes: ["NOUN", "VERB", "X"] },
    { words, tags, together: true, cut: false },
    options,
  );
  assert.ok(!("spans" in parts), "parts of speech mark no spans");
});

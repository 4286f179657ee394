import assert from "node:assert/strict";
import type { ChosenStudent } from "../../../tasks/init/student.ts";
import { type TrainingFacts, trainingOf } from "../../../tasks/init/training.ts";
import { valueOf } from "../../../tasks/init/entries.ts";

const encoder: ChosenStudent = { entries: [], use: "bert", starts: true, width: 96, chainable: "*", crf: false };
const facts: TrainingFacts = {
  data: {
    task: "classification",
    classes: ["a", "b"],
    image: null,
    text: { vocabulary: 9, maxLength: 96, padding: 0, files: {} },
  },
  student: encoder,
  isTaught: true,
  hasChains: true,
  examples: 2025,
  largestClass: 0.5,
};
// deno-lint-ignore no-explicit-any
const trained = (change: Partial<TrainingFacts>): any => valueOf([trainingOf({ ...facts, ...change })]).train;

Deno.test("training is that of the shipped recipes for data of their size", () => {
  const mail = trained({});
  assert.deepEqual([mail.epochs, mail.batchSize, mail.optimiser.learningRate], [4, 32, 0.0003]);
  const resnet = { ...encoder, use: "resnet", width: 8 };
  const rates = [[true, true], [true, false], [false, false]].map(([isTaught, hasChains]) =>
    trained({ student: { ...resnet, starts: isTaught }, isTaught, hasChains, examples: 7200 }).optimiser.learningRate
  );
  assert.deepEqual(rates, [0.1, 0.05, 0.1]);
});

Deno.test("few examples get more epochs, within bounds, and many get few", () => {
  assert.deepEqual([50, 2025, 100_000].map((examples) => trained({ examples }).epochs), [20, 4, 3]);
});

Deno.test("an encoder as wide as a BERT-base is trained so that the cpu backend can hold it", () => {
  const { batchSize, optimiser, restoreBest } = trained({ student: { ...encoder, width: 768 } });
  assert.deepEqual([batchSize, optimiser.learningRate, restoreBest], [8, 3e-6, undefined]);
});

Deno.test("where nearly all are of one class, accuracy is not what is watched", () => {
  assert.deepEqual([0.5, 0.9].map((largestClass) => trained({ largestClass }).monitor), [
    undefined,
    "validation.f1Macro",
  ]);
});

Deno.test("a model without a teacher is not told of one of its own", () => {
  const student = { ...encoder, use: "resnet", starts: false };
  assert.doesNotMatch(JSON.stringify(trainingOf({ ...facts, student, isTaught: false })), /its teacher/);
});

import assert from "node:assert/strict";
import { splitExamples, takeFirst } from "../../../core/data/split.ts";

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

Deno.test("the two sets are disjoint, complete, in rising order and of the sizes asked", () => {
  for (const validation of [0, 1, 250, 999]) {
    const split = splitExamples(1000, { validation, seed: 1 });
    assert.equal(split.validation.length, validation);
    assert.deepEqual([...split.training, ...split.validation].sort((a, b) => a - b), range(1000));
    for (const set of [split.training, split.validation]) assert.deepEqual(set, set.toSorted());
  }
});

Deno.test("the sets follow from the seed", () => {
  assert.deepEqual(splitExamples(100, { validation: 50, seed: 1 }), splitExamples(100, { validation: 50, seed: 1 }));
  assert.notDeepEqual(splitExamples(100, { validation: 50, seed: 1 }), splitExamples(100, { validation: 50, seed: 2 }));
});

Deno.test("the held-out examples come from everywhere, not from the end", () => {
  const { validation } = splitExamples(10_000, { validation: 1000, seed: 3 });
  const inFirstHalf = validation.filter((index) => index < 5000).length;
  // Five standard deviations of the hypergeometric distribution: sqrt(1000 / 4 * 0.9).
  assert.ok(Math.abs(inFirstHalf - 500) < 75, `${inFirstHalf} of 1000`);
});

Deno.test("a stratified split takes the same share of every class", () => {
  // 600 of class 0, 300 of class 1, 100 of class 7, mixed.
  const classes = range(1000).map((index) => [0, 1, 0, 0, 7, 0, 1, 0, 1, 0][index % 10]);
  const { training, validation } = splitExamples(1000, { validation: 100, seed: 1, stratifyBy: classes });
  const count = (set: Uint32Array, label: number) => set.filter((index) => classes[index] === label).length;
  assert.deepEqual([0, 1, 7].map((label) => count(validation, label)), [60, 30, 10]);
  assert.deepEqual([0, 1, 7].map((label) => count(training, label)), [540, 270, 90]);
});

Deno.test("shares that do not divide go to the largest remainders and still add up", () => {
  // Exact shares of 5 out of 10: 2.5, 1.5 and 1.
  const classes = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2];
  const { validation } = splitExamples(10, { validation: 5, seed: 1, stratifyBy: classes });
  const counts = [0, 0, 0];
  for (const index of validation) counts[classes[index]]++;
  assert.deepEqual(counts, [3, 1, 1]);
});

Deno.test("the first examples are the first", () => {
  assert.deepEqual([...takeFirst(5, 3)], [0, 1, 2]);
  assert.deepEqual([...takeFirst(5, 5)], range(5));
});

Deno.test("more than there is cannot be held out or taken", () => {
  for (const validation of [10, 11, -1, 2.5, NaN]) {
    assert.throws(() => splitExamples(10, { validation, seed: 1 }), {
      name: "UserError",
      message: `Cannot hold out ${validation} of 10 examples for validation: ` +
        "a whole number from 0 to 9 leaves one for training",
    });
  }
  for (const count of [0, 6, -1, 1.5]) {
    assert.throws(() => takeFirst(5, count), {
      name: "UserError",
      message: `Cannot take the first ${count} of 5 examples: 1 to 5 can be taken`,
    });
  }
  assert.throws(() => splitExamples(10, { validation: 1, seed: 1, stratifyBy: [0, 1] }), RangeError);
});

import assert from "node:assert/strict";
import { splitGroups } from "../../../../plugins/datasets/text/split_groups.ts";

Deno.test("equal examples stay on one side, each class gives its share, and a seed is a split", () => {
  const examples = Array.from(
    { length: 200 },
    (_, index) => ({ key: `${index % 80}`, label: index % 80 < 20 ? 1 : 0 }),
  );
  const split = (seed: number, takeEach: number | null = null) =>
    splitGroups(examples, ({ key }) => key, ({ label }) => label, { test: 0.25, seed, takeEach });
  const { train, test } = split(1);
  assert.equal(train.length + test.length, 200);
  const keys = new Set(test.map(({ key }) => key));
  assert.ok(train.every(({ key }) => !keys.has(key)));
  const share = (side: typeof train, label: number) => side.filter((example) => example.label === label).length;
  assert.ok(Math.abs(share(test, 1) - 0.25 * 60) <= 3 && Math.abs(share(test, 0) - 0.25 * 140) <= 3);
  assert.deepEqual(split(1), split(1));
  assert.notDeepEqual(split(2), split(1));
  const few = split(1, 30);
  assert.ok(share([...few.train, ...few.test], 0) <= 30);
});

/** Texts of one class split in two. */
const splitTexts = (texts: readonly string[], test: number, seed = 0) =>
  splitGroups(texts, (text) => text, () => 0, { test, seed, takeEach: null });

Deno.test("a text with many copies goes to the test set only if that comes nearer to its part", () => {
  const texts = Array.from({ length: 100 }, (_, index) => index < 60 ? "the same" : `text ${index}`);
  for (let seed = 0; seed < 20; seed++) {
    const { train, test } = splitTexts(texts, 0.2, seed);
    assert.deepEqual([train.length, test.length], [80, 20], `seed ${seed}`);
  }
  // Two are as near to one as none is.
  assert.equal(splitTexts(["a", "a", "b", "b", "c", "c"], 0.2).test.length, 2);
});

Deno.test("no class loses all of its examples to the test set", () => {
  assert.deepEqual(splitTexts(["a", "b"], 0.9).train.length, 1);
  const examples = [...Array(8).fill("copy"), "a", "b", "c", "d"];
  const classOf = (text: string) => text === "copy" ? 1 : 0;
  const { train, test } = splitGroups(examples, (text) => text, classOf, { test: 0.5, seed: 0, takeEach: null });
  assert.deepEqual([train.filter((text) => text === "copy").length, train.length, test.length], [8, 10, 2]);
});

Deno.test("where nothing can be tested on, it is said why", () => {
  const refused = (texts: readonly string[], test: number, reason: string) =>
    assert.throws(() => splitTexts(texts, test), {
      name: "UserError",
      message: `Cannot hold out ${test} of ${texts.length} examples to test on as ${reason}`,
    });
  refused(["a", "b", "c"], 0.1, "that rounds to none of any class: expected a part of 0.167 or more");
  refused(["a"], 0.1, "that rounds to none of any class: expected more examples");
  const alike = "equal ones stay on one side, and no class has so few to spare: expected a larger part, or more " +
    "examples that differ";
  refused(["a", "a", "a", "a"], 0.5, alike);
  refused([..."aaaaabbbbb"], 0.1, alike);
});

import assert from "node:assert/strict";
import { type ClassMatch, matchClasses } from "../../../../core/distill/teacher/match_classes.ts";
import { cifar } from "../../../../plugins/datasets/cifar.ts";
import { optionKit } from "../../../../core/plugin/kit.ts";
import { filesOf } from "../../../support/text_setup.ts";

const lines: string[] = [];
const match = (own: readonly string[], change: Partial<ClassMatch> = {}) =>
  matchClasses({
    who: "teacher",
    own,
    given: ["airplane", "automobile", "bird"],
    listed: false,
    movable: true,
    remedies: { order: "another order", names: "name them" },
    report: (line) => lines.push(line),
    ...change,
  });

Deno.test("LABEL_n is the class of that number where the files number classes, and asked for where they name them", () => {
  const numbers = ["LABEL_0", "LABEL_1", "LABEL_2"];
  assert.equal(match(numbers, { numbered: true }), null);
  assert.deepEqual(lines, [
    "the teacher's classes LABEL_0, LABEL_1 and LABEL_2 are taken for airplane, automobile and bird, in this order",
  ]);
  assert.throws(
    () => match(numbers),
    /Cannot tell which class of the data set is which of the teacher's: .*; name them$/,
  );
  // Names that say something are not overruled by numbers.
  assert.deepEqual(match(["bird", "airplane", "automobile"], { numbered: true }), [2, 0, 1]);
  assert.throws(() => match(["ship", "cat", "dog"], { numbered: true }), /Cannot tell which class/);
});

Deno.test("images in files have numbers for classes, unless they are grouped", async () => {
  const setup = { ...filesOf({}), readFile: () => Promise.resolve(new Uint8Array(3073)) };
  const load = async (options: Record<string, unknown>) =>
    (await cifar.load(cifar.options(optionKit).parse({ train: ["a"], test: ["b"], ...options }), setup)).input.numbered;
  assert.equal(await load({}), true);
  const [first, ...rest] = Array.from({ length: 10 }, (_, number) => number);
  assert.equal(await load({ groups: { one: [first], others: rest } }), undefined);
});

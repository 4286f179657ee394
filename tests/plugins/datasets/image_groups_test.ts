import assert from "node:assert/strict";
import { Random } from "../../../core/data/random.ts";
import type { DatasetSetup } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { cifar } from "../../../plugins/datasets/cifar.ts";
import { idx } from "../../../plugins/datasets/idx.ts";
import { type ClassGroups, groupClasses } from "../../../plugins/datasets/image_groups.ts";

const classes = ["cat", "dog", "ship", "3"];

Deno.test("classes are grouped by name and by number, groups numbered in the order they are written in", () => {
  const { classes: names, groupOf } = groupClasses(classes, { thing: ["ship", 3], animal: [1, "cat"] });
  assert.deepEqual([names, [...groupOf]], [["thing", "animal"], [1, 1, 0, 0]]);
});

const REFUSALS: [groups: ClassGroups, message: string][] = [
  [{ a: ["cat", "bird"] }, 'Cannot put the class "bird" in the group "a": expected cat, dog, ship or 3'],
  [{ a: ["cat", 4] }, 'Cannot put the class 4 in the group "a": expected cat, dog, ship or 3'],
  [{ a: [0, "cat"] }, 'Cannot put the class "cat" in the group "a" twice: it must be in one, once'],
  [{ a: [0, 1], b: [2, 1] }, 'Cannot put the class "dog" in the group "a" and in "b": it must be in one, once'],
  [{ a: [0], b: [1] }, "Cannot group the classes as ship and 3 are in no group: expected each class in one"],
  [{ a: [0, 1], b: [3] }, "Cannot group the classes as ship is in no group: expected each class in one"],
];

for (const [groups, message] of REFUSALS) {
  Deno.test(`groups ${JSON.stringify(groups)} are refused`, () => {
    assert.throws(() => groupClasses(classes, groups), { name: "UserError", message });
  });
}

/** A data set's setup whose files are these, whatever their names. */
const setup = (file: (name: string) => Uint8Array<ArrayBuffer>): DatasetSetup => ({
  readFile: (name) => Promise.resolve(file(String(name))),
  readFolder: () => assert.fail("no folder is read"),
  openFolder: () => assert.fail("no folder is opened"),
  noteInput: () => Promise.resolve(),
  random: new Random(0),
});

Deno.test("IDX files with groups have the groups as classes, the images unchanged", async () => {
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 10, 20, 30);
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 2, 1, 0);
  const load = (groups: unknown) =>
    idx.load(
      idx.options(optionKit).parse({ mean: [0], std: [1], groups }),
      setup((name) => name.includes("images") ? images : labels),
    );
  const [grouped, plain] = [await load({ even: [0, "2"], odd: ["1"] }), await load(null)];
  assert.deepEqual(grouped.input.classes, ["even", "odd"]);
  assert.deepEqual([...grouped.splits.train.labels!], [0, 1, 0]);
  assert.deepEqual([...plain.splits.train.labels!], [2, 1, 0]);
  const all = Uint32Array.of(0, 1, 2);
  const [ours, theirs] = [grouped, plain].map(({ splits }) => splits.test.batch(all));
  assert.deepEqual(ours.image, theirs.image);
  assert.deepEqual(ours.label.data, Float32Array.of(0, 1, 0));
});

Deno.test("CIFAR files with groups, by the usual names of their classes", async () => {
  const record = (label: number) => [label, ...new Uint8Array(32 * 32 * 3).fill(label)];
  const animals = ["bird", "cat", "deer", "dog", "frog", "horse"];
  const groups = { animals, machines: ["airplane", "automobile", "ship", "truck"] };
  const options = cifar.options(optionKit).parse({ train: ["a"], test: ["a"], groups });
  const { input, splits } = await cifar.load(options, setup(() => Uint8Array.from([...record(9), ...record(2)])));
  assert.deepEqual([input.classes, [...splits.train.labels!]], [["animals", "machines"], [1, 0]]);
});

Deno.test("one group is no classes", () => {
  const parsed = idx.options(optionKit).safeParse({ groups: { all: [0, 1] } });
  assert.equal(parsed.error?.issues[0].message, "Expected at least two groups");
});

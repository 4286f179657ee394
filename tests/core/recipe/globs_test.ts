import assert from "node:assert/strict";
import { UserError } from "../../../core/errors.ts";
import { assignLayers, matchesLayers, matchesPattern } from "../../../core/recipe/globs.ts";

const names = [
  "conv1.weight",
  "layer1.0.conv1.weight",
  "layer1.0.conv2.weight",
  "layer2.0.conv1.weight",
  "layer2.0.downsample.0.weight",
  "fc.weight",
];

Deno.test("a pattern matches whole names, and its star any characters, dots included", () => {
  const known: [string, string[]][] = [
    ["layer*.conv*", ["layer1.0.conv1.weight", "layer1.0.conv2.weight", "layer2.0.conv1.weight"]],
    ["conv*", ["conv1.weight"]],
    ["*", names],
    ["fc.weight", ["fc.weight"]],
    ["fc", []],
    ["layer?.0.conv1.weight", ["layer1.0.conv1.weight", "layer2.0.conv1.weight"]],
    ["**.weight", names],
    ["layer1.0.conv?", []],
    ["fc*weight", ["fc.weight"]],
    ["fc?weight", ["fc.weight"]],
    ["f.*", []],
  ];
  for (const [pattern, expected] of known) {
    assert.deepEqual(names.filter((name) => matchesPattern(pattern, name)), expected, pattern);
  }
});

Deno.test("exclusions leave out wherever they stand", () => {
  const expected = ["layer1.0.conv1.weight", "layer2.0.conv1.weight"];
  for (const patterns of [["layer*.conv*", "!*conv2*"], ["!*conv2*", "layer*.conv*"]]) {
    assert.deepEqual(names.filter((name) => matchesLayers(patterns, name)), expected);
  }
  assert.deepEqual(names.filter((name) => matchesLayers("!layer*", name)), ["conv1.weight", "fc.weight"]);
});

Deno.test("a name goes to the first entry that matches it", () => {
  const entries = [{ layers: "layer1.*", cores: 5 }, { layers: ["layer*.conv*", "fc*"], cores: 3 }];
  const assigned = assignLayers(entries, names);
  assert.deepEqual([...assigned].map(([name, entry]) => [name, entry.cores]), [
    ["layer1.0.conv1.weight", 5],
    ["layer1.0.conv2.weight", 5],
    ["layer2.0.conv1.weight", 3],
    ["fc.weight", 3],
  ]);
});

Deno.test("an entry that chooses nothing is refused", () => {
  const known: [string | string[], string][] = [
    [
      "layr1.*.conv*",
      'Nothing matches "layr1.*.conv*": the nearest of 6 are layer1.0.conv1.weight, layer1.0.conv2.weight and ' +
      "layer2.0.conv1.weight",
    ],
    [
      ["fc*", "fcc.weight"],
      'Nothing matches "fcc.weight": the nearest of 6 are fc.weight, conv1.weight and ' +
      "layer1.0.conv1.weight",
    ],
    [
      ["*", "!cls.weight"],
      'Nothing matches "!cls.weight": the nearest of 6 are fc.weight, conv1.weight and ' +
      "layer1.0.conv1.weight",
    ],
    [
      ["fc*", "!*.weight"],
      'Cannot use ["fc*","!*.weight"] as its own exclusions leave out all that it matches: ' +
      "nothing is left for it",
    ],
  ];
  for (const [layers, message] of known) {
    assert.throws(() => assignLayers([{ layers }], names), { name: "UserError", message });
  }
  assert.throws(() => assignLayers([{ layers: "*" }], []), {
    message: 'Nothing matches "*": there is nothing to choose from',
  });
});

Deno.test("an entry after those that have all of its names is refused, and the caller makes the error", () => {
  const refuse = (index: number, sentence: string) => new UserError(`entry ${index}: ${sentence}`);
  assert.throws(() => assignLayers([{ layers: "layer*" }, { layers: "layer1*" }], names, refuse), {
    name: "UserError",
    message: 'entry 1: Cannot use "layer1*" as earlier entries have all that it matches: nothing is left for it',
  });
});

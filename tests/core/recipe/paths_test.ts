import assert from "node:assert/strict";
import { formatPath, parsePath, type Path, startsWith, valueAtPath } from "../../../core/recipe/paths.ts";

const pairs: [string, Path][] = [
  ["train", ["train"]],
  ["train.optimiser.learningRate", ["train", "optimiser", "learningRate"]],
  ["losses[1].weight", ["losses", 1, "weight"]],
  ["grid[0][12]", ["grid", 0, 12]],
  ['layers["layer1.0.conv1.weight"]', ["layers", "layer1.0.conv1.weight"]],
  ['layers["a \\"b\\""].c', ["layers", 'a "b"', "c"]],
  ["[3].a", [3, "a"]],
];

Deno.test("a path is read as it is written", () => {
  for (const [text, path] of pairs) {
    assert.equal(formatPath(path), text);
    assert.deepEqual(parsePath(text), path);
  }
  assert.equal(formatPath([]), "");
});

Deno.test("what is no path is refused with the place", () => {
  const known: [string, number][] = [["", 1], ["a..b", 2], ["a.", 2], ["a[b]", 2], ["a[1", 2], ["a[0]b", 5], ["a]", 2]];
  for (const [text, character] of known) {
    assert.throws(() => parsePath(text), {
      name: "SyntaxError",
      message: `Cannot read the path ${JSON.stringify(text)} at character ${character}: write it as a.b[0].c`,
    });
  }
});

Deno.test("a path leads only to what is the value's own", () => {
  const value = { a: [{ b: 1 }], c: null };
  assert.equal(valueAtPath(value, ["a", 0, "b"]), 1);
  assert.equal(valueAtPath(value, ["a", 1, "b"]), undefined);
  assert.equal(valueAtPath(value, ["c", "d"]), undefined);
  assert.equal(valueAtPath(value, ["toString"]), undefined);
  assert.equal(valueAtPath(value, []), value);
});

Deno.test("a path starts with itself and with those above it", () => {
  assert.ok(startsWith(["a", 0, "b"], ["a", 0]));
  assert.ok(startsWith(["a"], ["a"]));
  assert.ok(startsWith(["a"], []));
  assert.ok(!startsWith(["a"], ["a", 0]));
  assert.ok(!startsWith(["ab"], ["a"]));
});

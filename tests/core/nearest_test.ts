import assert from "node:assert/strict";
import { editDistance, nearest } from "../../core/nearest.ts";

Deno.test("edit distance counts insertions, deletions, substitutions and swaps of neighbours", () => {
  const known: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["flaw", "lawn", 2],
    ["epcohs", "epochs", 1],
    ["ca", "abc", 3], // 2 with unrestricted swaps: a swapped pair may not be edited again
  ];
  for (const [a, b, distance] of known) {
    assert.equal(editDistance(a, b), distance, `${a} to ${b}`);
    assert.equal(editDistance(b, a), distance, `${b} to ${a}`);
  }
});

Deno.test("the nearest name is the one that was probably meant", () => {
  const known: [string, string[], string | undefined][] = [
    ["epoch", ["maxSteps", "epochs"], "epochs"],
    ["optimizer", ["optimiser", "schedule"], "optimiser"],
    ["learning_rate", ["learningRateScale", "learningRate"], "learningRate"],
    ["KDD", ["kd", "mse-logits"], "kd"],
    ["gpu", ["auto", "cpu", "webgpu"], "webgpu"],
    ["alignment", ["kd", "tensor-alignment"], "tensor-alignment"],
    ["ab", ["ad", "ac"], "ad"],
  ];
  for (const [word, candidates, expected] of known) assert.equal(nearest(word, candidates), expected, word);
});

Deno.test("a name that is like none of the candidates has no nearest one", () => {
  assert.equal(nearest("colour", ["epochs", "maxSteps"]), undefined);
  assert.equal(nearest("x", ["y"]), undefined);
  assert.equal(nearest("", ["a"]), undefined);
  assert.equal(nearest("epochs", []), undefined);
});

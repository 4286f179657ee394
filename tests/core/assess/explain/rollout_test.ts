import assert from "node:assert/strict";
import { agreementOf } from "../../../../core/assess/explain/agreement.ts";
import { gridOf, patchesOf } from "../../../../core/assess/explain/patches.ts";
import { attentionRollout } from "../../../../core/assess/explain/rollout.ts";
import { byWord, wordsOf } from "../../../../core/assess/explain/words.ts";
import { vocabularyOf } from "../../../../core/model_folder/vocabulary.ts";
import { assertClose } from "../../../support/numbers.ts";

Deno.test("attention rollout is the first row of the product of (mean of heads + I) / 2, the last layer first", () => {
  // Two examples, two heads, two tokens.
  const first = [0.5, 0.5, 1, 0, 0.9, 0.1, 0.2, 0.8, 1, 0, 0, 1, 1, 0, 0, 1];
  const second = [0.2, 0.8, 0.6, 0.4, 0.4, 0.6, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1];
  const shape = [2, 2, 2, 2];
  const [one, other] = attentionRollout([{ shape, data: first }, { shape, data: second }]);
  // Means (0.7 0.3; 0.6 0.4) and (0.3 0.7; 0.3 0.7), with I: (0.85 0.15; 0.3 0.7) and (0.65 0.35; 0.15 0.85).
  assertClose(one, [0.65 * 0.85 + 0.35 * 0.3, 0.65 * 0.15 + 0.35 * 0.7], 1e-12);
  assertClose(other, [1, 0], 1e-12);
});

Deno.test("patches of any image cover it, and a sequence of tokens is a grid where it can be one", () => {
  const { count, of } = patchesOf(5, 7, 2, 3);
  assert.equal(count, 6);
  assert.deepEqual([...of.slice(0, 7)], [0, 0, 0, 1, 1, 2, 2]);
  assert.deepEqual([...of.slice(21, 28)], [3, 3, 3, 4, 4, 5, 5]);
  assert.deepEqual(gridOf(8, 16, 8), [4, 2]);
  assert.equal(gridOf(9, 16, 8), null);
  assert.equal(gridOf(17, 8, 8), null);
});

Deno.test("pieces of a word are one, special tokens none, and what is not known is a word of its own", () => {
  const vocab = { "[CLS]": 0, "play": 1, "##ing": 2, "[SEP]": 3, "music": 4, "[UNK]": 5, "[MASK]": 6 };
  const added_tokens = [{ id: 5, content: "[UNK]", special: true }];
  const vocabulary = vocabularyOf({ model: { type: "WordPiece", vocab }, added_tokens })!;
  assert.deepEqual([vocabulary.mask, vocabulary.unknown], [6, 5]);
  const words = wordsOf([0, 1, 2, 5, 4, 3], vocabulary);
  assert.deepEqual(words, [
    { text: " playing", tokens: [1, 2] },
    { text: " ?", tokens: [3] },
    { text: " music", tokens: [4] },
  ]);
  assert.deepEqual([...byWord([9, 1, 2, 3, 4, 9], words)], [3, 3, 4]);
});

Deno.test("explanations agree by their ranks, where both tell parts apart and have the same", () => {
  const agreement = agreementOf([[1, 2, 3], [1, 2, 3], [0, 0, 0]], [[10, 200, 300], [3, 2, 1], [1, 2, 3]])!;
  assert.deepEqual(agreement.each.map((value) => value === null ? null : Math.round(1e9 * value) / 1e9), [1, -1, null]);
  assert.ok(Math.abs(agreement.mean!) < 1e-12);
  assert.ok(Math.abs(agreement.deviation! - Math.SQRT2) < 1e-12);
  assert.equal(agreementOf([[1, 2]], [[1, 2, 3]]), null);
});

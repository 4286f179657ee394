import assert from "node:assert/strict";
import type { DatasetDefinition, Examples } from "../../../core/plugin/dataset.ts";
import { defineDataset } from "../../../core/plugin/dataset.ts";
import { guardDefinition } from "../../../core/plugin/guard.ts";
import { filesOf } from "../../support/text_setup.ts";

/** A data set of vectors from outside, whose examples say so of themselves. */
function given(own: Partial<Examples>, label = 0): DatasetDefinition {
  const examples: Examples = {
    length: 3,
    labels: null,
    batch: (indices) => {
      const of = (value: number) => ({ data: new Float32Array(indices.length).fill(value), shape: [indices.length] });
      const tokens = { data: new Float32Array(indices.length), shape: [indices.length, 1] };
      return { tokens, types: tokens, mask: tokens, label: of(label) };
    },
    ...own,
  };
  const text = { vocabulary: 5, maxLength: 4, padding: 0, files: {} };
  return guardDefinition(defineDataset({
    name: "mine",
    description: "mine",
    source: "here",
    options: ({ z }) => z.strictObject({}),
    load: () =>
      Promise.resolve({
        input: { task: "embedding", classes: [], image: null, text },
        splits: { train: examples, test: examples },
      }),
  }));
}

const pairs = { first: Uint32Array.of(0, 1), second: Uint32Array.of(1, 2), scores: Float32Array.of(1, 2) };

Deno.test("pairs of a data set from outside are handed on, unless they name no examples", async () => {
  const { splits } = await given({ pairs }).load({}, filesOf({}));
  assert.equal(splits.test.pairs, pairs);
  const wrong = [
    { ...pairs, second: Uint32Array.of(1, 3) },
    { ...pairs, second: Uint32Array.of(1) },
    { ...pairs, scores: Float32Array.of(1, NaN) },
    { ...pairs, first: [0, 1] as never },
  ];
  for (const other of wrong) {
    await assert.rejects(given({ pairs: other }).load({}, filesOf({})), {
      message: /have pairs { first, second, scores }/,
    });
  }
  const odd = await given({}, 1).load({}, filesOf({}));
  assert.throws(() => odd.splits.test.batch(Uint32Array.of(0)), {
    message: /is not 0, as nothing is asked about a text/,
  });
});

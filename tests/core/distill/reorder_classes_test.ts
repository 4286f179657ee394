import assert from "node:assert/strict";
import { reorderClasses } from "../../../core/distill/reorder_classes.ts";
import type { RunData } from "../../../core/distill/load_data.ts";
import type { Examples } from "../../../core/plugin/dataset.ts";
import { textData } from "../../support/inputs.ts";

Deno.test("classes are numbered anew in every split, in labels and in batches; what is not scored stays -1", () => {
  const examples: Examples = {
    length: 2,
    labels: Uint8Array.of(2, 0),
    lengths: Uint16Array.of(3, 4),
    batch: (indices) => ({
      label: { data: Float32Array.of(2, -1, 0, 1), shape: [indices.length, 2] },
      mask: { data: Float32Array.of(1), shape: [1] },
    }),
  };
  const input = textData(["a", "b", "c"], {}, "tagging");
  const skipped = [{ file: "a.tsv", count: 1, first: ["line 2: its text is empty"] }];
  const splits = { train: examples, test: examples, more: examples };
  const data: RunData = {
    dataset: { input, splits, skipped },
    train: examples,
    validation: examples,
    test: examples,
    sha256: {},
  };
  const { dataset, train, validation, test } = reorderClasses(data, [1, 2, 0]);
  assert.deepEqual(dataset.input.classes, ["b", "c", "a"]);
  assert.equal(dataset.skipped, skipped);
  for (const own of [train, validation!, test, ...Object.values(dataset.splits)]) {
    assert.deepEqual([[...own.labels!], own.lengths, own.length], [[1, 2], examples.lengths, 2]);
    const { label, mask } = own.batch(Uint32Array.of(0, 1));
    assert.deepEqual([[...label.data], label.shape, mask.shape], [[1, -1, 2, 0], [2, 2], [1]]);
  }
  assert.equal(reorderClasses({ ...data, validation: null }, [1, 2, 0]).validation, null);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { recorder } from "../../support/run_observers.ts";
import { tinyRun, withTinyData } from "../../support/tiny_run.ts";

Deno.test("examples that a data set skips are told by the run, and stand in its summary", () =>
  withTinyData(async (folder) => {
    const rows = Array.from({ length: 8 }, (_, index) => `${index % 2 ? "good" : "bad"} day ${index}\t${index % 2}\n`)
      .join("");
    await Deno.writeTextFile(join(folder, "train.tsv"), `text\tlabel\n${rows}${"\t0\n".repeat(7)}`);
    await Deno.writeTextFile(join(folder, "test.tsv"), `text\tlabel\n${rows}`);
    const text = `
name: tiny
dataset: { use: text-table, train: train.tsv, test: test.tsv, vocabularySize: 30, maxLength: 8, onBad: skip }
student: { use: bert, layers: 1, width: 8, heads: 2, positions: 8 }
losses: [{ use: cross-entropy }]
train: { epochs: 1, batchSize: 4, optimiser: { use: adamw, learningRate: 0.01 } }
`;
    const { lines, reporter } = recorder();
    const { skipped, examples } = await tinyRun(folder, { text, reporter });
    const first = [10, 11, 12, 13, 14].map((line) => `line ${line}: its text is empty`);
    assert.deepEqual(skipped, [{ file: "train.tsv", count: 7, first }]);
    assert.equal(examples.train + examples.validation, 8);
    assert.ok(lines.includes(`skipped 7 examples of "train.tsv": ${first.join("; ")}; and 2 more`), lines.join("\n"));
    assert.deepEqual(JSON.parse(await Deno.readTextFile(join(folder, "run", "metrics.json"))).skipped, skipped);
  }));

import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunData } from "../../../core/distill/load_data.ts";
import type { Resolved } from "../../../core/distill/resolve_plugins.ts";
import { runInputs } from "../../../core/distill/run_inputs.ts";
import type { Checkpoint } from "../../../core/distill/training/checkpoint.ts";
import { recorder } from "../../support/run_observers.ts";
import { textRecipe } from "../../support/tiny_texts.ts";
import { tinyRun } from "../../support/tiny_run.ts";

const words = Array.from({ length: 40 }, (_, index) => `word${index}`);

/** A table of words, of two classes in turn. */
const table = (words: readonly string[]) =>
  ["text,label", ...words.map((word) => `${word},${Number(word.replace(/\D/g, "")) % 2}`), ""].join("\n");

Deno.test("copies of validation examples are not trained on, and where those are another split's that is told", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const run = async (train: readonly string[], validation: string, val = words.slice(0, 8)) => {
      const files = { train, test: ["one1", "two2"], val };
      for (const [name, own] of Object.entries(files)) {
        await Deno.writeTextFile(join(folder, `${name}.csv`), table(own));
      }
      const { reporter, warnings, lines } = recorder();
      const text = textRecipe(", more: { val: val.csv }", "", 1).replaceAll(".jsonl", ".csv")
        .replace("validation: null", `validation: ${validation}`);
      const { examples } = await tinyRun(folder, { text, reporter });
      const left = lines.filter((line) => line.includes("left out"));
      return {
        examples: [examples.train, examples.validation],
        warnings: warnings.filter((w) => !/split|warms up/.test(w)),
        left,
      };
    };
    const drawn = "{ fraction: 0.25 }";
    assert.deepEqual(await run(words, drawn), { examples: [30, 10], warnings: [], left: [] });
    // Each word twice, and a third time: validation is a part of the different ones.
    const twice = await run([...words, ...words, ...words], drawn);
    assert.deepEqual(twice, {
      examples: [90, 10],
      warnings: [],
      left: ["20 copies of validation examples are left out of training"],
    });
    const { warnings } = await run(words, "{ from: val, count: 4, stratify: false }");
    assert.match(
      warnings[0],
      /^4 of the 4 validation examples that were drawn are training examples, too: what training /,
    );
    assert.deepEqual((await run(["word1", "word2", "word1"], "null")).warnings, []);
    await assert.rejects(run(["word1", "word2", "word1", "word2"], "{ count: 2 }"), {
      message: /Cannot take 2 validation examples from the 2 different ones among the 4 of "train"$/,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a run says how many test examples were trained on", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, own] of Object.entries({ train: words, test: ["word3", "two2", "word3", "word4"] })) {
      await Deno.writeTextFile(join(folder, `${name}.csv`), table(own));
    }
    const text = textRecipe("", "", 1).replaceAll(".jsonl", ".csv");
    const { testCopies } = await tinyRun(folder, { text, reporter: recorder().reporter });
    assert.equal(testCopies, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a run begun before copies were known does not go on with other examples", async () => {
  const dataOf = (...equal: number[]) =>
    ({
      dataset: { splits: { train: { length: equal.length, equal: Uint32Array.from(equal) } } },
      sha256: { a: "1" },
    }) as unknown as RunData;
  const plugin = { filled: {} } as Resolved<"model">;
  const begun = { file: "run", fingerprint: { recipe: {}, inputs: { a: "1" } } } as unknown as Checkpoint;
  assert.deepEqual(await runInputs(dataOf(0, 1), null, plugin, begun), { a: "1" });
  await assert.rejects(runInputs(dataOf(0, 0), null, plugin, begun), {
    message: 'Cannot resume from "run" as how copies are held out has changed since: start anew without --resume',
  });
});

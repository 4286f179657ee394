import assert from "node:assert/strict";
import { join } from "node:path";
import { recorder } from "../../support/run_observers.ts";
import { textRecipe } from "../../support/tiny_texts.ts";
import { tinyRun } from "../../support/tiny_run.ts";

Deno.test("copies of validation examples that were drawn are told, where they are trained on", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const rows = (words: readonly string[]) =>
      ["text,label", ...words.map((word, index) => `${word},${index % 2}`), ""].join("\n");
    const words = Array.from({ length: 40 }, (_, index) => `word${index}`);
    const warned = async (train: readonly string[], validation: string) => {
      await Deno.writeTextFile(join(folder, "train.csv"), rows(train));
      await Deno.writeTextFile(join(folder, "test.csv"), rows(["one", "two"]));
      const { reporter, warnings } = recorder();
      const text = textRecipe("", "", 1).replaceAll(".jsonl", ".csv").replace("validation: null", validation);
      await tinyRun(folder, { text, reporter });
      return warnings;
    };
    assert.deepEqual(await warned(words, "validation: { fraction: 0.25 }"), []);
    const twice = [...words, ...words.slice(0, 20)];
    const [said, ...others] = await warned(twice, "validation: { fraction: 0.25 }");
    assert.match(
      said,
      /^\d+ of the 15 validation examples that were drawn are training examples, too: what training is /,
    );
    assert.deepEqual(others, []);
    assert.deepEqual(await warned(twice, "validation: null"), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

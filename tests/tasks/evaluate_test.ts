import assert from "node:assert/strict";
import { join } from "node:path";
import { runHere } from "../support/run_here.ts";
import { tinyRun } from "../support/tiny_run.ts";

const recipe = `
name: tiny-mnli
dataset: { use: glue, task: mnli, folder: mnli, vocabularySize: 40, maxLength: 16 }
student: { use: bert, layers: 1, width: 8, heads: 2, positions: 16 }
losses: [{ use: cross-entropy }]
train: { epochs: 1, batchSize: 4, optimiser: { use: adamw, learningRate: 0.01 } }
`;

/** Pairs whose label is the next of MNLI's three. */
function pairs(count: number, word: string): string {
  const labels = ["neutral", "entailment", "contradiction"];
  const lines = Array.from(
    { length: count },
    (_, i) => `${i}\t${word} ${"so ".repeat(i)}\t${word}\t${labels[i % 3]}`,
  );
  return ["index\tsentence1\tsentence2\tgold_label", ...lines].join("\n") + "\n";
}

Deno.test("evaluate measures any split that the data set has, such as MNLI's mismatched, and names them otherwise", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "mnli"));
    const write = (name: string, text: string) => Deno.writeTextFile(join(folder, "mnli", name), text);
    await write("train.tsv", pairs(12, "it is"));
    await write("dev_matched.tsv", pairs(6, "it was"));
    await write("dev_mismatched.tsv", pairs(7, "was it"));
    await tinyRun(folder, { text: recipe });
    const evaluate = (...flags: string[]) => runHere("evaluate", [join(folder, "run"), "--backend", "cpu", ...flags]);
    const report = async (split: string) => JSON.parse((await evaluate("--split", split, "--json")).stdout);

    const mismatched = await report("mismatched");
    assert.deepEqual([mismatched.split, mismatched.examples], ["mismatched", 7]);
    assert.notEqual((await report("test")).loss, mismatched.loss);
    await write("dev_matched.tsv", pairs(7, "was it"));
    assert.deepEqual({ ...await report("test"), split: "mismatched" }, mismatched);

    // The model's order of the classes counts, by their names.
    const { metrics, loss, positiveClass } = await report("test");
    const turned = await evaluate("--json", "--set", "dataset.classes=[neutral, entailment, contradiction]");
    const { metrics: same, loss: equal } = JSON.parse(turned.stdout);
    assert.deepEqual([same, equal, positiveClass], [metrics, loss, null]);
    const asked = await evaluate("--json", "--set", "evaluate.positiveClass=neutral");
    const { classes, metrics: { f1 }, positiveClass: named } = JSON.parse(asked.stdout);
    assert.equal(named, "neutral");
    assert.equal(f1, classes.find(({ label }: { label: string }) => label === "neutral").f1 ?? 0);

    const known = "Expected train, test, mismatched or validation";
    const refused = async (message: string, ...flags: string[]) => {
      const { code, stderr } = await evaluate(...flags);
      assert.deepEqual([code, stderr], [2, `${message}\n`]);
    };
    await refused(
      '--set evaluate.positiveClass=maybe: Unknown class "maybe": the data set has contradiction, entailment, neutral',
      ...["--set", "evaluate.positiveClass=maybe"],
    );
    await refused(`--split matched: ${known}`, "--split", "matched");
    await refused(`--split constructor: ${known}`, "--split", "constructor");
    await refused(
      "--split validation: The recipe takes no validation examples: expected train, test or mismatched",
      ...["--split", "validation", "--set", "validation=null"],
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

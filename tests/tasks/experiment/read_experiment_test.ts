import assert from "node:assert/strict";
import { join } from "node:path";
import { budgetsOf } from "../../../tasks/experiment/budgets.ts";
import { readExperiment } from "../../../tasks/experiment/read_experiment.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

/** Reads an experiment file beside the tiny recipe. */
async function read(text: string, body: (folder: string) => Promise<void> = () => Promise.resolve()) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
    await Deno.writeTextFile(join(folder, "test.yaml"), text);
    await body(folder);
    return await readExperiment([join(folder, "test.yaml")]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const rows = `
base: tiny.yaml
resample: { fraction: 0.5 }
rows:
  as it is:
  plain:
    student: { overParameterise: [] }
    losses[0].weight: 0.5
  adamw:
    train: { epochs: 7, optimiser: { use: adamw } }
  file: tiny.yaml
`;

Deno.test("rows are the base with their changes merged in; another plug-in's options do not stay", async () => {
  const { name, rows: [same, plain, adamw, file], seeds, baseline } = await read(rows);
  assert.deepEqual([name, seeds, baseline], ["test", [1, 2, 3], "as it is"]);
  const base = same.recipe([]).value;
  assert.deepEqual(base.subset, { fraction: 0.5 });
  const { student, losses, train } = plain.recipe([]).value;
  assert.deepEqual([student.overParameterise, student.width, losses[0].weight, train], [[], 4, 0.5, base.train]);
  const changed = adamw.recipe([{ path: ["seed"], value: 9, label: "" }]).value;
  assert.deepEqual([changed.seed, changed.train.epochs, changed.train.batchSize], [9, 7, 16]);
  assert.deepEqual([changed.train.optimiser.use, changed.train.optimiser.learningRate], ["adamw", 1e-3]);
  assert.deepEqual(file.recipe([]).value, base);
});

Deno.test("mistakes are told with line and column", async () => {
  const known: [string, RegExp][] = [
    ["rows: {}", /test\.yaml:1:7: Expected at least one row/],
    ["base: tiny.yaml\nrows: { a: }\nbaseline: b", /test\.yaml:3:11: Unknown row "b" for baseline: expected a$/],
    ["base: none.yaml\nrows: { a: }", /test\.yaml:1:7: Cannot read the recipe ".*none\.yaml"/],
    ["rows: { a: }", /test\.yaml:1:9: Cannot change a recipe for "a": base names none$/],
    [
      "rows: { a: tiny.yaml }\nseed: [1]",
      /test\.yaml:2:1: Unknown key "seed" at the top level: did you mean "seeds"\?$/,
    ],
    [
      "rows: { a: tiny.yaml }\nseeds: [1, 1]",
      /test\.yaml:2:8: Expected seeds that differ from each other: got \[1,1\]$/,
    ],
    [
      "base: tiny.yaml\nrows: { slow: , fast: { equalSeconds: slwo } }",
      /test\.yaml:2:39: Unknown row "slwo" for rows\.fast\.equalSeconds: did you mean "slow"\?$/,
    ],
    [
      "base: tiny.yaml\nrows: { a: , b: { equalSeconds: c }, c: { equalSeconds: a } }",
      /test\.yaml:2:33: Cannot take the time of a row that takes another's/,
    ],
    [
      "base: tiny.yaml\nrows:\n  a b:\n  a-b:",
      /test\.yaml:4:3: Cannot use the name "a-b" as "a b" has the same folder/,
    ],
    // A map does not keep their order, and so not which is the first.
    [
      "base: tiny.yaml\nrows: { plain: , 8: , 5: }",
      /test\.yaml:2:\d+: Expected a row's name that is no number, as in width5: got "5"$/,
    ],
    [
      "rows: { a: tiny.yaml }\nbudgets: [1x, 4]",
      /test\.yaml:2:/,
    ],
    [
      "rows: { a: tiny.yaml }\nbudgets: [1x, 60s]",
      /test\.yaml:2:10: Expected budgets of epochs or of seconds: got 1x and 60s, of which nobody knows which is the longer$/,
    ],
    [
      "rows: { a: tiny.yaml }\nconfirm: { seeds: [3, 4] }",
      /test\.yaml:2:19: Cannot confirm by seed 3, which rows are compared or tuned by: name others in confirm\.seeds$/,
    ],
    ["rows: { a: tiny.yaml }\nconfirm: { seeds: [9] }", /test\.yaml:2:19: Expected a list of at least 2 entries/],
    [
      "rows: { a: tiny.yaml }\ntune: { key: 'a..b', values: [1, 2] }",
      /test\.yaml:2:14: Cannot read the path "a\.\.b"/,
    ],
    // What the grid sets in each run itself.
    [
      "base: tiny.yaml\nrows:\n  a:\n  b: { name: b, seed: 4 }",
      /test\.yaml:4:17: Cannot set seed, which the grid sets in each run: give --seeds, or seeds in the experiment file$/,
    ],
    [
      "base: tiny.yaml\nrows:\n  a: { output: runs/a }",
      /test\.yaml:3:8: Cannot set output, which the grid sets in each run: give --output, the folder of all runs$/,
    ],
    [
      "base: tiny.yaml\nrows:\n  a:\n    train: { epochs: 2, optimiser: { learningRate: 1 } }\n" +
      "tune: { key: train.optimiser.learningRate, values: [1, 2] }",
      /test\.yaml:4:38: Cannot set train\.optimiser\.learningRate, which the grid sets in each run: change tune\.values/,
    ],
    [
      "base: tiny.yaml\nrows:\n  a:\n    train: { optimiser: { use: adamw, learningRate: 1 } }\n" +
      "tune: { key: train.optimiser.learningRate, values: [1, 2] }",
      /test\.yaml:4:39: Cannot set train\.optimiser\.learningRate/,
    ],
  ];
  for (const [text, message] of known) await assert.rejects(read(text), { name: "UserError", message }, text);
});

Deno.test("a mistake in a row's recipe has its place in the experiment file", async () => {
  const { rows: [a], tune } = await read(
    "base: tiny.yaml\nrows:\n  a:\n    train: { epoch: 3 }\ntune: { key: train.rate, values: [1, 2] }",
  );
  assert.throws(() => a.recipe([]), /test\.yaml:4:14: Unknown key "epoch" in train: did you mean "epochs"\?$/);
  const { rows: [good] } = await read("rows: { a: tiny.yaml }");
  assert.throws(() => good.recipe([tune!.change(2)]), /test\.yaml:5:38: Unknown key "rate" in train: /);
});

Deno.test("several recipes are a row each; an experiment file stands alone", async () => {
  await read("rows: { a: tiny.yaml }", async (folder) => {
    const [tiny, other, experiment] = ["tiny.yaml", "other.yaml", "test.yaml"].map((name) => join(folder, name));
    await Deno.writeTextFile(other, tinyRecipe.replace("name: tiny", "name: other"));
    const compared = await readExperiment([tiny, other], { seeds: [5], baseline: "other", budgets: budgetsOf(["2x"]) });
    assert.deepEqual(compared.budgets, [{ name: "2x", of: "epochs", amount: 2 }]);
    assert.deepEqual([compared.name, compared.seeds, compared.baseline], ["compare-tiny-other", [5], "other"]);
    await assert.rejects(readExperiment([tiny, tiny]), /Cannot use the name "tiny" as "tiny" has the same folder/);
    await assert.rejects(readExperiment([tiny, experiment]), /Cannot compare the experiment file ".*" with others/);
    await assert.rejects(readExperiment([tiny], { baseline: "x" }), /^UserError: --baseline x: Expected one of tiny$/);
  });
});

Deno.test("a mistake within a list or a map of a row has its own line, with quotes around names that are more than a word", async () => {
  const { rows: [, own] } = await read(`
base: tiny.yaml
rows:
  as it is:
  own:
    losses:
      - { use: cross-entropy }
      - use: kd
        weight: -1
    train:
      optimiser:
        use: adamw
        learningRate: fast
`);
  assert.throws(() => own.recipe([]), (error: Error) => {
    const lines = error.message.split("\n").map((line) => line.replace(/^.*test\.yaml/, "test.yaml"));
    assert.deepEqual(lines, [
      "test.yaml:9:17: Expected a number >= 0 and <= 1000000000 or a map with from and to for losses[1].weight: got -1",
      'test.yaml:13:23: Expected a number >= 1e-30 and <= 1000 for train.optimiser.learningRate: got "fast"',
    ]);
    return true;
  });
  await assert.rejects(read("base: tiny.yaml\nrows: { as it is: , b: }\nbaseline: x"), {
    message: /:3:11: Unknown row "x" for baseline: expected "as it is" or b$/,
  });
});

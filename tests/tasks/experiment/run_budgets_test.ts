import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { UserError } from "../../../core/errors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { budgetsOf } from "../../../tasks/experiment/budgets.ts";
import type { Experiment } from "../../../tasks/experiment/experiment.ts";
import type { Runner } from "../../../tasks/experiment/outcome.ts";
import { planOf } from "../../../tasks/experiment/plan.ts";
import { rowStatistics } from "../../../tasks/experiment/row_statistics.ts";
import { checkGrid, runBudgets } from "../../../tasks/experiment/run_budgets.ts";
import { trainingRunner } from "../../../tasks/experiment/runner.ts";
import { tablesOf } from "../../../tasks/experiment/tables.ts";
import { recorder } from "../../support/run_observers.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";
import { fakeRow, fakeRun, fakeTuning } from "./fakes.ts";

const tune = fakeTuning;
const experiment: Experiment = {
  name: "test",
  rows: [fakeRow("a", 4), fakeRow("b", 6)],
  seeds: [1, 2],
  baseline: "a",
  tune: null,
  resample: null,
};
const budgets = (...texts: string[]) => ({ budgets: budgetsOf(texts) });

/** A runner that does not train: an epoch takes as many seconds as the student is wide. */
function fakeRunner(test: (epochs: number, width: number, seed: number) => number = () => 0.5) {
  const runs: { folder: string; title: string }[] = [];
  const run: Runner = ({ value: { output, seed, student, train } }, title) => {
    runs.push({ folder: output, title });
    const [width, { epochs, optimiser: { learningRate } }] = [Number(student.width), train];
    // The longer, the smaller the rate that is best.
    const validation = -Math.abs(Math.log(learningRate * epochs));
    return Promise.resolve(
      fakeRun(seed, { test: test(epochs, width, seed), validation, seconds: width * epochs, epochs }),
    );
  };
  return { runs, run };
}

Deno.test("each row runs at each budget, by folders of its epochs, and its own where it has as many", async () => {
  const { runs, run } = fakeRunner();
  const parts = await runBudgets({ ...experiment, ...budgets("2x", "1x") }, "out", run);
  assert.deepEqual(parts.map(({ budget }) => budget!.name), ["1x", "2x"]);
  assert.deepEqual(runs.map(({ folder }) => folder), [
    ...["a", "b"].flatMap((row) => [1, 2].map((seed) => join("out", row, `seed-${seed}`))),
    ...["a", "b"].flatMap((row) => [1, 2].map((seed) => join("out", row, "epochs=10", `seed-${seed}`))),
  ]);
  assert.equal(runs[5].title, "2x: a, seed 2");
  assert.deepEqual(
    parts.map(({ results }) => results.map(({ runs }) => runs.map((run) => "summary" in run && run.summary.epochs))),
    [[[5, 5], [5, 5]], [[10, 10], [10, 10]]],
  );
});

Deno.test("each budget tunes anew", async () => {
  const { run } = fakeRunner();
  const parts = await runBudgets({ ...experiment, tune, ...budgets("1x", "2x") }, "out", run);
  assert.deepEqual(parts.map(({ results }) => results.map(({ tuned }) => tuned!.chosen)), [[0.2, 0.2], [0.1, 0.1]]);
});

Deno.test("a budget of seconds is as many whole epochs as were measured to fit; a row without time is left out", async () => {
  const { runs, run } = fakeRunner();
  const parts = await runBudgets({ ...experiment, tune, ...budgets("5s", "1m") }, "out", run);
  // The pilots are of the first value and the seeds that are tuned by.
  assert.deepEqual(
    runs.slice(0, 2).map(({ folder }) => folder),
    ["a", "b"].map((row) => join("out", row, "learningRate=0.1", "seed-1")),
  );
  assert.deepEqual(parts.map(({ results }) => results.map(({ name, epochs }) => [name, epochs])), [
    [["a", 1]],
    [["a", 15], ["b", 10]],
  ]);
  assert.deepEqual(parts.map(({ leftOut }) => leftOut), [[{ name: "b", seconds: 6 }], []]);
  await assert.rejects(runBudgets({ ...experiment, ...budgets("3s") }, "out", run), {
    name: "UserError",
    message: 'Cannot train any row for 3s: an epoch of the quickest, "a", takes 4.0 s; give a longer budget',
  });
});

Deno.test("what cannot have a budget is refused before the first run", async () => {
  const { runs, run } = fakeRunner();
  const bounded = fakeRow("a", 4);
  const refused: [Partial<Experiment>, RegExp][] = [
    [budgets("1x", "1.5x"), /Cannot give "a" 1\.5x of its 5 epochs, which is 7\.5: expected whole epochs$/],
    [
      { ...budgets("2x"), rows: [fakeRow("a", 4, { equalSeconds: "b" }), fakeRow("b", 6)] },
      /beside budgets, which are/,
    ],
    [{ ...budgets("2x"), tune: { ...tune, key: "train.epochs" } }, /Cannot tune train\.epochs beside budgets/],
    [
      {
        ...budgets("60s"),
        rows: [{ ...bounded, recipe: () => bounded.recipe([{ path: ["train", "maxSteps"], value: 3, label: "" }]) }],
      },
      /Cannot give "a" a budget of epochs: train\.maxSteps must be null$/,
    ],
    [{ ...budgets("1x", "1000000x") }, /train\.epochs/],
  ];
  for (const [change, message] of refused) {
    await assert.rejects(runBudgets({ ...experiment, ...change }, "out", run), { name: "UserError", message });
  }
  assert.deepEqual(runs, []);
  // Products that are whole but for their last bit.
  const ten = {
    ...bounded,
    recipe: (c: Parameters<typeof bounded.recipe>[0]) =>
      bounded.recipe([{ path: ["train", "epochs"], value: 10, label: "" }, ...c]),
  };
  checkGrid({ ...experiment, rows: [ten], baseline: "a", ...budgets("0.7x") });
});

Deno.test("a half-done grid goes on, and another list of budgets finds what is done", () =>
  withTinyData(async (folder) => {
    const row = (name: string, width: number) => ({
      ...fakeRow(name, width),
      recipe: (changes: Parameters<ReturnType<typeof fakeRow>["recipe"]>[0]) =>
        parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
          overrides: ["backend=cpu", "train.epochs=1", `student.width=${width}`, ...changes],
        }),
    });
    const real = { ...experiment, rows: [row("a", 4), row("b", 2)], seeds: [1] };
    const { reporter, lines } = recorder();
    const train = trainingRunner(
      builtins,
      { ...reporter, progress: () => {}, end: () => {} },
      new AbortController().signal,
    );
    let left = 3;
    const stopping: Runner = (recipe, title) => {
      if (left-- === 0) throw new UserError("stopped");
      return train(recipe, title);
    };
    const out = join(folder, "out");
    const run = async (list: string[], runner: Runner) => {
      lines.length = 0;
      const parts = await runBudgets({ ...real, ...budgets(...list) }, out, runner);
      return parts.map(({ results }) =>
        results.map(({ runs }) => runs.map((run) => "summary" in run && run.summary.student.accuracy))
      );
    };
    const told = () => lines.map((line) => line.replace(/: validation.*?( \(was done\))?$/, "$1"));
    await assert.rejects(run(["1x", "2x"], stopping), /stopped/);
    const whole = await run(["1x", "2x"], train);
    assert.deepEqual(told(), [
      "1x: a, seed 1 (was done)",
      "1x: b, seed 1 (was done)",
      "2x: a, seed 1 (was done)",
      "2x: b, seed 1",
    ]);
    const [twice] = await run(["2x"], train);
    assert.deepEqual(told(), ["2x: a, seed 1 (was done)", "2x: b, seed 1 (was done)"]);
    assert.deepEqual(twice, whole[1]);
  }));

Deno.test("rows that win or lose run again with fresh seeds, as they were tuned, with the baseline beside them", async () => {
  // Rows 6 and 8 seem to win; with fresh seeds 8 does not.
  const { runs, run } = fakeRunner((_, width, seed) => {
    const noise = seed % 2 / 1000;
    return width === 4
      ? 0.5 + noise
      : width === 6
      ? 0.6 + noise
      : width === 8
      ? (seed > 10 ? 0.5 : 0.6) + noise
      : 0.5 + noise;
  });
  const rows = [fakeRow("a", 4), fakeRow("wins", 6), fakeRow("seems", 8), fakeRow("same", 10)];
  const confirming = { ...experiment, rows, tune, confirm: [11, 12, 13], ...budgets("2x") };
  const [{ experiment: part, results }] = await runBudgets(confirming, "out", run);
  const fresh = runs.filter(({ title }) => title.includes("confirming"));
  assert.deepEqual(
    fresh.map(({ folder }) => folder),
    ["a", "wins", "seems"].flatMap((row) =>
      [11, 12, 13].map((seed) => join("out", row, "epochs=10", "learningRate=0.1", `seed-${seed}`))
    ),
  );
  assert.equal(fresh[0].title, "2x: confirming a, seed 11");
  const lines = rowStatistics(part, results);
  assert.deepEqual(lines.map(({ confirmed }) => confirmed?.difference?.withinNoise), [
    undefined,
    false,
    true,
    undefined,
  ]);
  const [table] = tablesOf(part, results);
  const at = table.header.indexOf("fresh seeds");
  assert.deepEqual(table.rows.map((row) => row[at].slice(0, 6)), ["", "+10.00", "+0.00 ", ""]);
  assert.ok(table.rows[2][at].endsWith("~"));
  assert.match(table.notes[2], /^Rows beyond noise were run again, as they were tuned, with seeds 11, 12, 13, /);
});

Deno.test("a plan counts what is to do and what is done, with a trial for a row of which nothing is", async () => {
  const { run } = fakeRunner();
  const timed: string[] = [];
  const setup = (done: RegExp) => ({
    find: async (recipe: Parameters<Runner>[0]) => done.test(recipe.value.output) ? await run(recipe, "") : null,
    time: (_: unknown, row: string) => Promise.resolve((timed.push(row), 3)),
  });
  const planned = { ...experiment, tune, confirm: [11, 12], ...budgets("1x", "4x") };
  const { rows, confirm } = await planOf(planned, "out", setup(/[\\/]a[\\/]learningRate=0.[12][\\/]seed-1$/));
  // Of each row and budget two values by one seed, and a second seed: 3 runs.
  assert.deepEqual(rows, [
    { name: "a", runs: 4, done: 2, epochs: 5 + 3 * 20, perEpoch: 4 },
    { name: "b", runs: 6, done: 0, epochs: 3 * 5 + 3 * 20, perEpoch: 3 },
  ]);
  assert.deepEqual(timed, ["b"]);
  assert.deepEqual(confirm, { runs: 8, seconds: 2 * (25 * 4 + 25 * 3) });
  const inTime = await planOf({ ...experiment, ...budgets("30s") }, "out", setup(/^$/));
  // Pilots of 5 epochs, and two runs of 10.
  assert.deepEqual(inTime.rows.map(({ runs, epochs }) => [runs, epochs]), [[3, 25], [3, 25]]);
  assert.equal(inTime.confirm, null);
});

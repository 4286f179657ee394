import assert from "node:assert/strict";
import { join } from "node:path";
import type { Override } from "../../../core/recipe/overrides.ts";
import type { Experiment, Row, Scalar } from "../../../tasks/experiment/experiment.ts";
import type { Runner } from "../../../tasks/experiment/outcome.ts";
import { chooseByValidation } from "../../../tasks/experiment/choose.ts";
import { runGrid } from "../../../tasks/experiment/run_grid.ts";
import { type FakeNumbers, fakeRow, fakeRun, fakeTuning } from "./fakes.ts";

const tune = fakeTuning;
const experiment: Experiment = {
  name: "test",
  rows: [fakeRow("a", 4)],
  seeds: [1, 2, 3],
  baseline: "a",
  tune: null,
  resample: null,
};

/** A runner that does not train; it keeps where each run would have gone. */
function fakeRunner(numbers: (rate: number, width: number) => FakeNumbers) {
  const folders: string[] = [];
  const run: Runner = ({ value: { output, seed, student, train } }) => {
    folders.push(output);
    const { learningRate } = train.optimiser;
    const all = { epochs: train.epochs, ...numbers(learningRate, Number(student.width)) };
    return Promise.resolve(fakeRun(seed, all));
  };
  return { folders, run };
}

Deno.test("tuning goes by validation, however the test examples speak against it", async () => {
  const { folders, run } = fakeRunner((rate) => ({ test: rate === 0.1 ? 0.9 : 0.1, validation: rate }));
  const [row] = await runGrid({ ...experiment, tune }, "out", run);
  assert.equal(row.tuned!.chosen, 0.2);
  assert.deepEqual(row.tuned!.trials.map(({ validation }) => validation), [[0.1], [0.2]]);
  const at = (rate: number, seed: number) => join("out", "a", `learningRate=${rate}`, `seed-${seed}`);
  // The tuning run of the chosen value is also the first of the final ones.
  assert.deepEqual(folders, [at(0.1, 1), at(0.2, 1), at(0.2, 2), at(0.2, 3)]);
  assert.deepEqual(row.runs.map(({ seed }) => seed), [1, 2, 3]);
});

Deno.test("a common value is run beside the chosen ones", async () => {
  const { folders, run } = fakeRunner((rate) => ({ test: rate, validation: rate }));
  const [row] = await runGrid({ ...experiment, tune: { ...tune, common: 0.1 } }, "out", run);
  assert.equal(row.common!.length, 3);
  assert.equal(folders.length, 6);
});

Deno.test("rows with the same recipe share their runs", async () => {
  const { folders, run } = fakeRunner(() => ({ test: 0.5 }));
  const rows = [fakeRow("a", 4), fakeRow("same", 4), fakeRow("b", 6)];
  const results = await runGrid({ ...experiment, rows }, "out", run);
  assert.equal(folders.length, 6);
  assert.deepEqual(results[0].runs, results[1].runs);
});

Deno.test("rows that store their students otherwise are different runs", async () => {
  const { folders, run } = fakeRunner(() => ({ test: 0.5 }));
  const cut = (name: string, rank: number): Row => {
    const { recipe, ...row } = fakeRow(name, 4);
    const change = { path: ["export"], value: { keepFactors: true, rank }, label: name };
    return { ...row, recipe: (changes) => recipe([change, ...changes]) };
  };
  await runGrid({ ...experiment, rows: [fakeRow("a", 4), cut("half", 0.5), cut("tenth", 0.1)] }, "out", run);
  assert.equal(folders.length, 9);
});

Deno.test("rows whose files lie in different folders are different runs", async () => {
  const { folders, run } = fakeRunner(() => ({ test: 0.5 }));
  const { recipe, ...row } = fakeRow("there", 4);
  const base = { path: ["base"], value: "other", label: "base" };
  const there: Row = { ...row, recipe: (changes) => recipe([base, ...changes]) };
  await runGrid({ ...experiment, rows: [fakeRow("a", 4), there] }, "out", run);
  assert.equal(folders.length, 6);
});

Deno.test("a row with another's time gets as many whole epochs, by its own seconds for an epoch", async () => {
  // 5 epochs take 10 s at width 4 and 36 s at width 6: 18 epochs of 2 s.
  const { run } = fakeRunner((_, width) => ({ test: 0.5, seconds: width === 4 ? 10 : 36 }));
  const rows = [fakeRow("timed", 4, { equalSeconds: "slow" }), fakeRow("plain", 4), fakeRow("slow", 6)];
  const seen: number[] = [];
  const results = await runGrid({ ...experiment, rows }, "out", (recipe, title) => {
    seen.push(recipe.value.train.epochs);
    return run(recipe, title);
  });
  assert.deepEqual(results.map(({ name, epochs }) => [name, epochs]), [["timed", 18], ["plain", null], ["slow", null]]);
  // Its pilot run is the first of the row "plain".
  assert.deepEqual(seen, [5, 5, 5, 5, 5, 5, 18, 18, 18]);
});

Deno.test("a tuned length is as it was tuned also where another's time stretches the rest", async () => {
  const { run } = fakeRunner((_, width) => ({ test: 0.5, validation: 0.5, seconds: width === 4 ? 10 : 20 }));
  const warmup = ["train", "schedule", "warmupEpochs"];
  const own = { path: warmup, value: 1, label: "own" };
  const timed = fakeRow("timed", 4);
  const rows = [
    { ...timed, equalSeconds: "slow", recipe: (changes: readonly Override[]) => timed.recipe([own, ...changes]) },
    fakeRow("slow", 6),
  ];
  const change = (value: Scalar) => ({ path: warmup, value, label: "values" });
  const tuning = { ...tune, key: warmup.join("."), values: [1, 2], change };
  const seen: (readonly [epochs: number, warmup: number])[] = [];
  await runGrid({ ...experiment, rows, tune: tuning }, "out", (recipe, title) => {
    const { epochs, schedule } = recipe.value.train;
    if (title.startsWith("timed")) seen.push([epochs, schedule.warmupEpochs]);
    return run(recipe, title);
  });
  assert.deepEqual(new Set(seen.map(([, warmup]) => warmup)), new Set([1, 2]), `${seen}`);
  assert.ok(seen.some(([epochs, warmup]) => epochs === 10 && warmup === 1), `${seen}`);
});

Deno.test("a row that cannot be tuned or timed is refused before the first run", async () => {
  const { folders, run } = fakeRunner(() => ({ test: 0.5 }));
  const bare = fakeRow("bare", 4);
  const without = {
    ...bare,
    recipe: () => fakeRow("bare", 4).recipe([{ path: ["validation"], value: null, label: "" }]),
  };
  await assert.rejects(runGrid({ ...experiment, rows: [bare, without], tune }, "out", run), {
    name: "UserError",
    message: 'Cannot tune train.optimiser.learningRate for "bare" without validation examples: its validation is null',
  });
  const bounded = fakeRow("timed", 4, {
    equalSeconds: "bare",
    recipe: () => bare.recipe([{ path: ["train", "maxSteps"], value: 3, label: "" }]),
  });
  await assert.rejects(runGrid({ ...experiment, rows: [bare, bounded] }, "out", run), /train\.maxSteps must be null/);
  const epochs = {
    ...tune,
    key: "train.epochs",
    values: [10, 20],
    change: (value: Scalar) => ({ path: ["train", "epochs"], value, label: "values" }),
  };
  const timed = fakeRow("timed", 4, { equalSeconds: "bare" });
  await assert.rejects(
    runGrid({ ...experiment, rows: [bare, timed], tune: epochs }, "out", run),
    /Cannot tune train\.epochs beside "timed", whose length is the time of "bare"$/,
  );
  assert.deepEqual(folders, []);
});

Deno.test("a value with a failed run is chosen only if every value has one", () => {
  const trials = [{ value: 1, validation: [0.9], failed: 1 }, { value: 2, validation: [0.5, 0.5], failed: 0 }];
  assert.equal(chooseByValidation(trials), 2);
  assert.equal(chooseByValidation([trials[0], { ...trials[1], failed: 1 }]), 1);
  assert.equal(chooseByValidation([{ value: 1, validation: [], failed: 2 }]), null);
  assert.equal(
    chooseByValidation([{ value: 1, validation: [0.5], failed: 0 }, { ...trials[1] }]),
    1,
    "the first of equals",
  );
});

import assert from "node:assert/strict";
import type { Scalar } from "../../../tasks/experiment/experiment.ts";
import type { RowResult } from "../../../tasks/experiment/run_grid.ts";
import { concludeSweep, sweepExperiment } from "../../../tasks/experiment/sweep.ts";
import { fakeRow, fakeRun } from "./fakes.ts";

const grid = { cores: [2, 5], rates: [0.1, 0.2], seeds: [7] };

Deno.test("a sweep has a row for each number of cores, and tunes the rate of each", () => {
  const { name, rows, tune } = sweepExperiment(fakeRow("tiny", 4), { ...grid, rates: null });
  assert.deepEqual([name, rows.map((row) => row.name), tune!.values], [
    "sweep-tiny",
    ["n = 2", "n = 5"],
    [0.025, 0.05, 0.1],
  ]);
  const { student, evaluate, train } = rows[1].recipe([tune!.change(0.025)]).value;
  assert.deepEqual(student.overParameterise.map(({ layers, cores }) => [layers, cores]), [["layer*.conv*.weight", 5]]);
  assert.deepEqual([evaluate.train, train.optimiser.learningRate], [true, 0.025]);
  const plain = fakeRow("plain", 4);
  const without = {
    ...plain,
    recipe: () => plain.recipe([{ path: ["student", "overParameterise"], value: [], label: "" }]),
  };
  assert.throws(() => sweepExperiment(without, grid), /Cannot sweep the number of cores: .* names no weights$/);
  const summed = { layers: "layer1*conv*", use: "sum", kernels: 2 };
  const other = {
    ...plain,
    recipe: () => plain.recipe([{ path: ["student", "overParameterise"], value: [summed], label: "" }]),
  };
  assert.throws(() => sweepExperiment(other, grid), {
    name: "UserError",
    message: /Cannot sweep the number of cores: expected use: mpo, got use: sum, which has none$/,
  });
});

Deno.test("its conclusion is the pick and the gap, and that one rate is not right for all", () => {
  const experiment = sweepExperiment(fakeRow("tiny", 4), grid);
  const result = (name: string, chosen: Scalar, validation: number, rate: number): RowResult => ({
    name,
    epochs: null,
    tuned: { chosen, trials: [] },
    runs: [fakeRun(7, { test: 0, validation, train: validation + 0.05, rate })],
    common: null,
  });
  const results = [result("n = 2", 0.2, 0.87, 1.5), result("n = 5", 0.1, 0.871, 3.25)];
  assert.deepEqual(concludeSweep(experiment, results, 0.15).notes, [
    "Gap from training to validation in points: n = 2 5.00, n = 5 5.00.",
    "n = 2 (1.50 times the parameters) is picked: the smallest within 0.15 of the best on validation (87.00 to 87.10 of " +
    "n = 5 with 3.25 times).",
  ]);
  const single = sweepExperiment(fakeRow("tiny", 4), { ...grid, rates: [0.1] });
  assert.match(
    concludeSweep(single, results, 0.15).notes.at(-1)!,
    /best one falls as n grows: give --rates several\.$/,
  );
});

Deno.test("a number of cores of which a training failed is picked only where of all some did", () => {
  const experiment = sweepExperiment(fakeRow("tiny", 4), { ...grid, seeds: [7, 8] });
  const result = (name: string, rate: number, fails: boolean): RowResult => ({
    name,
    epochs: null,
    tuned: { chosen: 0.1, trials: [] },
    runs: [
      fakeRun(7, { test: 0, validation: 0.87, rate }),
      fails ? { folder: "x", seed: 8, failure: "Stopped" } : fakeRun(8, { test: 0, validation: 0.87, rate }),
    ],
    common: null,
  });
  const concluded = (...fails: boolean[]) => {
    const results = fails.map((fail, index) => result(["n = 2", "n = 5"][index], [1.5, 3.25][index], fail));
    return concludeSweep(experiment, results, 0.15);
  };
  const { notes: [reason, left] } = concluded(true, false);
  assert.match(reason, /^n = 5 \(3\.25 times the parameters\) is picked/);
  assert.equal(left, "Left out of the pick, as some of their trainings did not come to their end: n = 2.");
  const { notes: [of, warning] } = concluded(true, true);
  assert.match(of, /^n = 2 .* is picked/);
  assert.equal(
    warning,
    "Warning: of every number of cores some trainings did not come to their end, that of the pick too.",
  );
});

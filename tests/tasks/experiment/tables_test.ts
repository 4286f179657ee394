import assert from "node:assert/strict";
import type { Experiment } from "../../../tasks/experiment/experiment.ts";
import { finished } from "../../../tasks/experiment/outcome.ts";
import { rowStatistics } from "../../../tasks/experiment/row_statistics.ts";
import type { RowResult } from "../../../tasks/experiment/run_grid.ts";
import { markdownOf, tablesOf, textOf } from "../../../tasks/experiment/tables.ts";
import { csvOf } from "../../../tasks/experiment/write_results.ts";
import { fakeRow, fakeRun, fakeTuning } from "./fakes.ts";

const rows = [fakeRow("KD", 4), fakeRow("OPDF", 6)];
const experiment: Experiment = { name: "test", rows, seeds: [1, 2], baseline: "KD", tune: null, resample: null };
const result = (name: string, tests: readonly number[], rate: number): RowResult => ({
  name,
  epochs: null,
  tuned: null,
  runs: tests.map((test, index) => fakeRun(index + 1, { test, validation: test - 0.01, rate, seconds: 10 * rate })),
  common: null,
});
const results = [result("KD", [0.8, 0.82], 1), result("OPDF", [0.83, 0.83], 2.5)];

Deno.test("the main table of known numbers", () => {
  const [table, ...others] = tablesOf(experiment, results);
  assert.deepEqual(others, []);
  // Standard error 1 point with 1 degree of freedom: 2 -+ 12.71.
  assert.deepEqual(textOf(table).slice(0, 4), [
    "test",
    "row   test accuracy %  validation %                     to KD  trained  inference  increase     seconds     an epoch     peak",
    "KD       81.00 ± 1.41  80.00 ± 1.41                              1,000      1,000      1.00  10.0 ± 0.0  2.00 ± 0.00  1.50 MB",
    "OPDF     83.00 ± 0.00  82.00 ± 0.00  +2.00 [-10.71, +14.71] ~    2,500      1,000      2.50  25.0 ± 0.0  5.00 ± 0.00  1.50 MB",
  ]);
  const markdown = markdownOf(table).split("\n");
  assert.equal(
    markdown[2],
    "| row | test accuracy % | validation % | to KD | trained | inference | increase | seconds | an epoch | peak |",
  );
  assert.equal(markdown[3], "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
  assert.match(markdown[5], /^\| OPDF \| 83\.00 ± 0\.00 \| .* \| \+2\.00 \[-10\.71, \+14\.71\] ~ \|/);
});

Deno.test("CSV has the numbers as they are, one line for each row", () => {
  const quoted = [{ ...results[0], name: 'KD, "plain"' }, results[1]];
  const [header, kd, opdf] = csvOf(rowStatistics({ ...experiment, baseline: "none" }, quoted)).split("\r\n");
  assert.match(header, /^row,value,runs,failed,test,test_sd,validation,/);
  assert.match(kd, /^"KD, ""plain""",,2,0,0\.8\d*,0\.014142/);
  assert.match(opdf, /^OPDF,,2,0,0\.83,0,0\.82\d*,0,,2500,1000,2\.5,25,0,5,1500002,,,,$/);
});

Deno.test("failures, tuning and shares of time are told below", () => {
  const tune = { key: "train.epochs", values: [1, 2], seeds: [1], common: null, change: () => assert.fail() };
  const tuned = {
    chosen: 2,
    trials: [{ value: 1, validation: [0.5], failed: 0 }, { value: 2, validation: [0.75], failed: 1 }],
  };
  const failed = { folder: "x", seed: 2, failure: "Stopped" };
  const [main, trials] = tablesOf({ ...experiment, tune }, [
    { ...results[0], tuned },
    { ...results[1], tuned, epochs: 7, runs: [results[1].runs[0], failed] },
  ]);
  assert.match(main.notes[2], /^A difference without an interval is of one run, or of runs that are all alike/);
  assert.deepEqual(main.notes.slice(3), ['"OPDF" had time for 7 epochs.', 'Of "OPDF" 1 failed to train.']);
  assert.equal(main.rows[1][4], "+2.00", "one run has no interval");
  assert.deepEqual(trials.rows[0], ["KD", "50.00", "*75.00 (1 failed)"]);
  const edges = (values: number[], ...chosen: number[]) => {
    const tables = tablesOf(
      { ...experiment, tune: { ...tune, values } },
      results.map((row, index) => ({ ...row, tuned: { ...tuned, chosen: chosen[index] } })),
    );
    return tables.at(-1)!.notes.slice(1);
  };
  assert.deepEqual(edges([1, 2, 4], 2, 2), []);
  assert.deepEqual(edges([2, 1, 4], 4, 1), [
    'Chosen at the edge of what was tried: the lowest for "OPDF", the highest for "KD". What lies beyond may be better ' +
    "there, and part of the difference to other rows.",
  ]);
});

Deno.test("diagnostics are means over epochs, matrices and seeds, or of the last epoch", () => {
  const matrix = (relativeStep: number | null, effectiveRank: number) => ({
    relativeStep,
    effectiveRank,
    singularValues: [2, 1],
  });
  const diagnostics = [
    { matrices: { a: matrix(0.2, 3), b: matrix(null, 5) }, agreement: 0.5 },
    { matrices: { a: matrix(0.1, 2), b: matrix(0.3, 3) }, agreement: 0.75 },
  ];
  const looked = results.map((row) => ({ ...row, runs: row.runs.map((run) => ({ ...run, diagnostics })) }));
  const { rows } = tablesOf(experiment, looked)[1];
  assert.deepEqual(rows[0], ["KD", "0.200", "2.50", "2.000", "75.00"]);
});

Deno.test("rows are compared by the first of their task's metrics, the others have a table and columns of their own", () => {
  const tagged = results.map((row) => ({
    ...row,
    runs: finished(row.runs).map((run) => {
      const { accuracy } = run.summary.student.metrics;
      const student = { ...run.summary.student, metrics: { f1: accuracy - 0.5, accuracy } };
      return { ...run, summary: { ...run.summary, student } };
    }),
  }));
  const [main, others] = tablesOf(experiment, tagged);
  assert.deepEqual([main.header[1], main.rows[1][1]], ["test f1 %", "33.00 ± 0.00"]);
  assert.deepEqual([others.header, others.rows], [
    ["row", "accuracy %"],
    [["KD", "81.00 ± 1.41"], ["OPDF", "83.00 ± 0.00"]],
  ]);
  const [header, , opdf] = csvOf(rowStatistics(experiment, tagged)).split("\r\n");
  assert.match(header, /,within_noise,test_accuracy$/);
  assert.match(opdf, /,0\.83$/);
});

Deno.test("what is of fewer examples than there are, or of another metric, is said below and not held against the others", () => {
  const [kd, opdf] = results;
  const of = (row: RowResult, labelled: number, metrics?: Record<string, number>) => ({
    ...row,
    runs: finished(row.runs).map((run) => {
      const { summary } = run;
      const student = metrics ? { ...summary.student, metrics, validationMetrics: metrics } : summary.student;
      const counts = {
        examples: { train: 8, validation: 2, test: 40 },
        labelled: { train: 8, validation: 2, test: labelled },
      };
      return { ...run, summary: { ...summary, ...counts, student } };
    }),
  });
  const [table] = tablesOf(experiment, [of(kd, 12), of(opdf, 0, { agreement: 0.9 })]);
  assert.deepEqual(table.rows[1].slice(0, 4), ["OPDF", "90.00 ± 0.00 agreement", "90.00 ± 0.00 agreement", ""]);
  assert.deepEqual(table.notes.slice(2), [
    '"OPDF" is measured by its agreement, and not held against the others.',
    'The test examples of "KD" have labels for 12 of 40.',
    'The test examples of "OPDF" have no labels.',
  ]);
});

Deno.test("what students take at inference has a table where one is pruned, cut to factors or exported", () => {
  const pruning = { method: "magnitude", structure: "unstructured", nonZeros: 250, weights: {}, widths: {} };
  const onnx = [{ bytes: 3000, milliseconds: { onnx: 0.25, own: 0.5 } }];
  const with_ = (row: RowResult, more: object): RowResult => ({
    ...row,
    runs: finished(row.runs).map((run) => ({ ...run, summary: { ...run.summary, studentBytes: 4000, ...more } })),
  });
  const [, pruned] = tablesOf(experiment, [results[0], with_(results[1], { pruning })]);
  const [, cut] = tablesOf(experiment, [with_(results[0], {}), with_(results[1], { factors: {}, studentBytes: 5000 })]);
  assert.deepEqual(cut.rows.map(([row, , , , bytes]) => [row, bytes]), [["KD", "4.00 kB"], ["OPDF", "5.00 kB"]]);
  const [, none] = tablesOf(experiment, [with_(results[0], {}), with_(results[1], {})]);
  assert.notEqual(none?.title, cut.title);
  assert.deepEqual(textOf(pruned), [
    "What the students take at inference",
    "row   test accuracy %  parameters  not zero    bytes  training seconds",
    "KD       81.00 ± 1.41       1,000     1,000        -        10.0 ± 0.0",
    "OPDF     83.00 ± 0.00       1,000       250  4.00 kB        25.0 ± 0.0",
  ]);
  const [, exported] = tablesOf(experiment, [with_(results[0], { export: { onnx } }), results[1]]);
  assert.deepEqual(textOf(exported).slice(1, 4), [
    "row   test accuracy %  parameters  not zero    bytes  ONNX bytes  ONNX ms  ms here  training seconds",
    "KD       81.00 ± 1.41       1,000     1,000  4.00 kB     3.00 kB   0.2500   0.5000        10.0 ± 0.0",
    "OPDF     83.00 ± 0.00       1,000     1,000        -           -        -        -        25.0 ± 0.0",
  ]);
});

Deno.test("labels that are wrong on purpose, and that nothing was confirmed, are said below", () => {
  const noisy = {
    ...results[1],
    runs: finished(results[1].runs).map((run) => {
      const labelled = { train: 7200, validation: 0, test: 0 };
      return {
        ...run,
        summary: { ...run.summary, wrongLabels: 1440, labelled, examples: { train: 7200, validation: 0, test: 0 } },
      };
    }),
  };
  const [table] = tablesOf(experiment, [results[0], noisy]);
  const [unconfirmed] = tablesOf({ ...experiment, confirm: [11, 12] }, results);
  assert.equal(unconfirmed.notes[2], "No row is known to be beyond noise: none was run with fresh seeds.");
  const tune = { ...fakeTuning, common: 0.1 };
  const all = results.map((row) => ({ ...row, tuned: { chosen: 0.2, trials: [] }, common: row.runs }));
  const [own, common] = tablesOf({ ...experiment, tune, confirm: [11, 12] }, all);
  const saysOf = ({ notes }: typeof own) => notes.some((note) => note.includes("fresh seeds"));
  assert.deepEqual([own, common].map(saysOf), [true, false], "of a common value nothing is to be confirmed");
  assert.equal(table.notes[2], 'Of the 7,200 training labels of "OPDF" 1,440 are wrong on purpose.');
});

Deno.test("a note that begins with a mark keeps it in Markdown, where it would begin a list", () => {
  const table = { title: "t", header: ["row", "a"], rows: [["x", "*1"]], notes: ["* is chosen.", "= is * too."] };
  const lines = markdownOf(table).split("\n");
  assert.ok(lines.includes("\\* is chosen.") && lines.includes("= is * too."), lines.join("\n"));
  assert.equal(textOf(table).at(-2), "* is chosen.");
});

/** The same row, its runs measured and done otherwise. */
const changed = (row: RowResult, more: { metrics?: Record<string, number>; device?: string; pruning?: object }) => {
  const { metrics, ...summary } = more;
  const runs = finished(row.runs).map((run) => {
    const student = { ...run.summary.student, ...metrics && { metrics, validationMetrics: metrics } };
    return { ...run, summary: { ...run.summary, ...summary, student } };
  });
  return { ...row, runs } as RowResult;
};

Deno.test("tables go by the baseline's metric, whichever row is the first", () => {
  const first = changed(results[0], { metrics: { agreement: 0.9 } });
  const all = [first, changed(results[1], { pruning: { nonZeros: 250 } })];
  const tables = tablesOf({ ...experiment, baseline: "OPDF" }, all);
  assert.deepEqual([tables[0], tables.at(-1)!].map(({ header }) => header[1]), ["test accuracy %", "test accuracy %"]);
  assert.deepEqual(tables[0].notes.slice(2), ['"KD" is measured by its agreement, and not held against the others.']);
});

Deno.test("runs of several devices are told to have seconds that are none to compare", () => {
  const on = (...devices: (string | undefined)[]) => {
    const [table] = tablesOf(experiment, results.map((row, index) => changed(row, { device: devices[index] })));
    return table.notes.slice(2);
  };
  assert.deepEqual([on("a", "a"), on(undefined, "a")], [[], []]);
  assert.deepEqual(on("AVX2, 1 thread", "AVX2, 4 threads"), [
    "Seconds are of different devices, and not comparable: AVX2, 1 thread; AVX2, 4 threads.",
  ]);
});

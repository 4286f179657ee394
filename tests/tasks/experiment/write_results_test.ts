import assert from "node:assert/strict";
import { parseBudget } from "../../../tasks/experiment/budgets.ts";
import { openJson } from "../../../core/sealed_json.ts";
import { putResultsAside, writeResults } from "../../../tasks/experiment/write_results.ts";
import type { Experiment } from "../../../tasks/experiment/experiment.ts";
import { namesIn, textOf } from "../../support/run_files.ts";
import { fakeRow, fakeRun } from "./fakes.ts";

const experiment: Experiment = {
  name: "faked",
  rows: [fakeRow("a", 4)],
  seeds: [1],
  baseline: "a",
  tune: null,
  resample: null,
};

/** Writes results of one run with an accuracy, and returns what the files say. */
async function write(folder: string, test: number): Promise<void> {
  const runs = [fakeRun(1, { test })];
  await writeResults(folder, experiment, [{ name: "a", epochs: null, tuned: null, runs, common: null }], []);
}

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ALL = ["results.csv", "results.json", "results.md"];

Deno.test("results are put aside before a run is done anew, and only once", () =>
  inTemporaryFolder(async (folder) => {
    await putResultsAside(folder);
    assert.deepEqual(namesIn(folder), []);
    await write(folder, 0.5);
    const old = await textOf(folder, "results.json");
    await putResultsAside(folder);
    await putResultsAside(folder);
    assert.deepEqual(namesIn(folder), ["previous-results.json"]);
    assert.equal(await textOf(folder, "previous-results.json"), old);
  }));

Deno.test("the tables never tell of other runs than results.json", () =>
  inTemporaryFolder(async (folder) => {
    await write(folder, 0.25);
    assert.deepEqual(namesIn(folder), ALL);
    const { rename } = Deno;
    const states: (string | null)[][] = [];
    try {
      Deno.rename = async (from, to) => {
        await rename(from, to);
        const tests = [/"test": \{\s*"count": 1,\s*"mean": ([\d.]+)/, /\r\na,,1,0,([\d.]+)/];
        const texts = [await textOf(folder, "results.json"), await textOf(folder, "results.csv")];
        states.push(texts.map((text, index) => text === null ? null : text.match(tests[index])![1]));
      };
      await write(folder, 0.75);
    } finally {
      Deno.rename = rename;
    }
    assert.deepEqual(states, [["0.75", null], ["0.75", null], ["0.75", "0.75"]]);
  }));

Deno.test("results of budgets have the points of all, a line for each row and budget, and what was confirmed", () =>
  inTemporaryFolder(async (folder) => {
    const rows = [fakeRow("a", 4), fakeRow("b", 6)];
    const two = { ...experiment, rows, seeds: [1, 2], confirm: [11, 12] };
    const runs = (tests: readonly number[], seconds: number) =>
      tests.map((test, index) => fakeRun(index + 1, { test, seconds }));
    const part = (name: string, seconds: number, better: number) => {
      const row = { epochs: null, tuned: null, common: null };
      const results = [
        { ...row, name: "a", runs: runs([0.499, 0.501], seconds), confirmed: runs([0.5, 0.5], seconds) },
        {
          ...row,
          name: "b",
          runs: runs([0.499 + better, 0.501 + better], 2 * seconds),
          confirmed: runs([0.5, 0.5], 1),
        },
      ];
      return { budget: parseBudget(name), experiment: two, results, leftOut: [] };
    };
    const parts = [part("1x", 10, 0.125), part("4x", 40, 0.25)];
    await writeResults(folder, two, parts[1].results, [], {}, parts);
    const json = JSON.parse((await textOf(folder, "results.json"))!);
    assert.equal((await openJson(json)).isWhole, true);
    assert.deepEqual(json.budgets.map(({ budget }: { budget: string }) => budget), ["1x", "4x"]);
    assert.deepEqual(json.lines, json.budgets[1].lines);
    assert.deepEqual(json.results, json.budgets[1].results);
    assert.deepEqual(
      json.front.map(({ row, budget, standing }: Record<string, string>) => [row, budget, standing]),
      [["a", "1x", "front"], ["b", "1x", "front"], ["a", "4x", "behind"], ["b", "4x", "front"]],
    );
    assert.deepEqual(json.confirm, [11, 12]);
    const [header, ...lines] = (await textOf(folder, "results.csv"))!.trimEnd().split("\r\n");
    assert.match(header, /,within_noise,confirmed,confirmed_low,confirmed_high,budget$/);
    assert.match(lines[0], /^a,.*,,,,,,,,1x$/);
    // Confirming runs that are all alike have no interval.
    assert.match(lines[3], /^b,.*,0\.25,0\.24\d+,0\.25\d+,false,0,,,4x$/);
    assert.deepEqual(lines.map((line) => line.at(0)! + line.slice(-2)), ["a1x", "b1x", "a4x", "b4x"]);
  }));

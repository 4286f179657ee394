import assert from "node:assert/strict";
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

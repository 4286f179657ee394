import assert from "node:assert/strict";
import { join } from "node:path";
import { silent } from "../../../../core/distill/progress.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/** A data set of a few bright columns, which notes what it is asked for. */
const NOTING = `export default {
  kind: "dataset", name: "noting", description: "x", options: ({ z }) => z.strictObject({}),
  load() {
    const batch = (indices) => ({
      image: {
        data: Float32Array.from({ length: indices.length * 64 }, (_, i) => i % 8 === indices[i >> 6] % 3 ? 1 : 0),
        shape: [indices.length, 8, 8, 1],
      },
      label: { data: Float32Array.from(indices, (i) => i % 3), shape: [indices.length] },
    });
    const note = (what) => async (indices) => void globalThis.noted.push(what + " " + [...indices]);
    const examples = (length) => ({ length, labels: Uint8Array.from({ length }, (_, i) => i % 3), batch });
    return {
      input: {
        task: "classification", classes: ["a", "b", "c"], text: null,
        image: { size: [8, 8, 1], normalise: { mean: [0], std: [1] } },
      },
      splits: { train: { ...examples(48), fetch: note("fetch"), ahead: note("ahead") }, test: examples(12) },
      close: async () => void globalThis.noted.push("close"),
    };
  },
};
`;

Deno.test("training says which batch it takes next, across epochs, and ends what the data set has going on", () =>
  withTinyData(async (folder) => {
    const noted: string[] = [];
    Object.assign(globalThis, { noted });
    await Deno.writeTextFile(join(folder, "noting.ts"), NOTING);
    const start = tinyRecipe.indexOf("dataset:"), end = tinyRecipe.indexOf("student:");
    const text = tinyRecipe.slice(0, start) + "dataset: { use: ./noting.ts }\n" +
      tinyRecipe.slice(end);
    await tinyRun(folder, { text, overrides: ["validation=null", "train.epochs=2", "train.batchSize=16"] });
    const first = noted.findIndex((line) => line.startsWith("ahead"));
    const training = noted.slice(first - 1, first + 10);
    assert.deepEqual(training.map((line) => line.split(" ")[0]), [
      ...["fetch", "ahead", "fetch", "ahead", "fetch", "ahead", "fetch", "ahead", "fetch", "ahead", "fetch"],
    ]);
    for (let at = 1; at < training.length - 1; at += 2) {
      assert.equal(training[at + 1].split(" ")[1], training[at].split(" ")[1], `batch ${(at + 1) / 2}`);
    }
    assert.equal(noted.filter((line) => line.startsWith("ahead")).length, 5, "none after the last step");
    assert.deepEqual(noted.filter((line) => line === "close"), ["close"]);
    assert.equal(noted.at(-1), "close");
  }));

Deno.test("a data set that cannot be closed is warned of: the student is there", () =>
  withTinyData(async (folder) => {
    Object.assign(globalThis, { noted: [] });
    const failing = NOTING.replace('globalThis.noted.push("close")', 'Promise.reject(new Error("threads are gone"))')
      .replace("close: async () => void", "close: () =>");
    await Deno.writeTextFile(join(folder, "noting.ts"), failing);
    const start = tinyRecipe.indexOf("dataset:"), end = tinyRecipe.indexOf("student:");
    const text = tinyRecipe.slice(0, start) + "dataset: { use: ./noting.ts }\n" + tinyRecipe.slice(end);
    const warnings: string[] = [];
    const reporter = { ...silent, warning: (line: string) => void warnings.push(line) };
    await tinyRun(folder, { text, overrides: ["validation=null", "train.epochs=1"], reporter });
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.match(warnings.at(-1)!, /^the data set could not be closed: .*threads are gone/);
  }));

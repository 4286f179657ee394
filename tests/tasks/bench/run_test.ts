import assert from "node:assert/strict";
import { UserError } from "../../../core/errors.ts";
import { runBench } from "../../../tasks/bench/run.ts";

const silent = { print: () => {}, progress: () => {} };

Deno.test("an unknown case or engine, and a bad count, are the user's mistakes", async () => {
  const wrong: [Parameters<typeof runBench>[0], RegExp][] = [
    [
      { cases: ["matmull"] },
      /Cannot benchmark the case "matmull": the cases are matmul, attention, resnet8, .*opdf-bert/,
    ],
    [{ engines: ["tfjs", "torch"] }, /Cannot benchmark the engine "torch": the engines are .*pytorch/],
    [{ repeats: 0 }, /Cannot take 0 samples/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(runBench({ ...silent, ...options }), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("comparisons of our own pipeline have a table of their own, which says why one cannot run", async () => {
  const lines: string[] = [];
  const { pipeline, rows } = await runBench({
    ...silent,
    cases: ["scale", "opdf-bert"],
    engines: ["ours-cpu"],
    quick: true,
    timeoutSeconds: 0.001,
    print: (line) => lines.push(line),
  });
  assert.deepEqual(rows, []);
  assert.deepEqual(pipeline, [
    { case: "opdf-bert", backend: "cpu", reason: "left out by --quick" },
    { case: "scale", backend: "cpu", reason: "it took longer than 0.001 s" },
  ]);
  assert.equal(lines.length, 3);
});

Deno.test("engines that cannot run are rows that say why, in the table and in the file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const lines: string[] = [];
    const json = `${folder}/bench.json`;
    // No process starts within a millisecond, so that every one of them fails.
    const report = await runBench({
      ...silent,
      cases: ["resnet8", "matmul"],
      engines: ["jax-wasm", "tfjs"],
      quick: true,
      timeoutSeconds: 0.001,
      json,
      print: (line) => lines.push(line),
    });
    assert.deepEqual(report.rows.map((row) => [row.case, row.engine, row.reason]), [
      ["matmul", "tfjs webgpu", "not available: it took longer than 0.001 s"],
      ["matmul", "jax-js wasm", "not available: it took longer than 0.001 s"],
      ["resnet8", "tfjs webgpu", "not available: it took longer than 0.001 s"],
      ["resnet8", "jax-js wasm", "left out by --quick"],
    ]);
    assert.equal(lines.length, 1 + 4 + 1); // header, rows, ceiling
    assert.deepEqual(JSON.parse(await Deno.readTextFile(json)), JSON.parse(JSON.stringify(report)));
    assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), ["bench.json"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

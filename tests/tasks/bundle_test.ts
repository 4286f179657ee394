import assert from "node:assert/strict";
import { join } from "node:path";
import { writeSafetensors } from "../../core/safetensors.ts";
import { pseudoRandom } from "../support/numbers.ts";
import { runDeno, taskArguments } from "../support/task.ts";
import { tinyRecipe, withTinyData } from "../support/tiny_run.ts";

Deno.test("the program runs as one bundled file: doctor, decompose, merge, a run, and its refusals", () =>
  withTinyData(async (folder) => {
    const at = (name: string) => join(folder, name);
    const made = await runDeno(["bundle", "--quiet", "--platform", "deno", "--output", at("opdf.js"), "tasks/cli.ts"]);
    assert.equal(made.code, 0, made.stderr);
    const run = (verb: "doctor" | "decompose" | "merge" | "train" | "distill" | "bench", ...args: string[]) =>
      runDeno([...taskArguments(verb).map((part) => part === "tasks/cli.ts" ? at("opdf.js") : part), ...args]);
    const matrix = { shape: [12, 18], data: Float32Array.from(pseudoRandom(2, 12 * 18)) };
    await writeSafetensors(at("matrix.safetensors"), new Map([["fc.weight", matrix]]));
    await Deno.writeTextFile(at("tiny.yaml"), tinyRecipe);
    const factors = ["--tensor", "fc.weight", "--rows", "4,1,3", "--cols", "6,1,3"];
    const decompose = (...args: string[]) => run("decompose", at("matrix.safetensors"), ...args);

    const [doctor, decomposed] = await Promise.all([
      run("doctor"),
      decompose(...factors, "--json", "--out", at("chain.safetensors")),
    ]);
    assert.equal(doctor.code, 0, doctor.stderr);
    assert.match(
      doctor.stdout,
      /^Program\n {2}opdf [^]*WebGPU adapter\n[^]*--backend auto\n {2}Backend (cpu|webgpu) \(/,
    );
    assert.match(
      doctor.stdout,
      /Self-test[^]*\n {2}cpu +matrix product +\S+ +passed\n {2}cpu +merged chain +\S+ +passed/,
    );
    assert.equal(decomposed.code, 0, decomposed.stderr);
    const report = JSON.parse(decomposed.stdout);
    assert.deepEqual([report.tensor, report.bonds, report.parameters], ["fc.weight", [1, 9, 9, 1], 378]);
    assert.ok(report.relativeError < 1e-14);

    const merge = (out: string) => run("merge", at("chain.safetensors"), "--out", at(out));
    const [merged, trained, wrong, unnamed, bench] = await Promise.all([
      merge("merged.safetensors"),
      run("train", at("tiny.yaml"), "--out", at("run"), "--set", "train.epochs=1", "--backend", "cpu"),
      decompose("--tensor", "fc.weight", "--rows", "5,1,3", "--cols", "6,1,3"),
      run("distill"),
      run("bench"),
    ]);
    assert.deepEqual([merged.code, merged.stderr], [0, ""]);
    assert.match(trained.stdout, /\ntiny +student\n[^]*\nparameter increase rate +\d/);
    assert.equal(trained.code, 0, trained.stderr);
    assert.deepEqual([wrong.code, unnamed.code, bench.code], [2, 2, 2]);
    assert.match(wrong.stderr, /^Cannot split 12 into rows \[5, 1, 3\] as the factors must multiply to 12: /);
    assert.match(
      unnamed.stderr,
      /^Cannot find the default recipe as this program was bundled without it: name a recipe$/m,
    );
    assert.match(bench.stderr, /^Cannot benchmark from a bundled or compiled program: run the task in a checkout$/m);
  }));

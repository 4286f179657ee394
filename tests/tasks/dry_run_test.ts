import assert from "node:assert/strict";
import { join } from "node:path";
import { readRest, readUntil, textOf } from "../support/child_text.ts";
import { runHere } from "../support/run_here.ts";
import { spawnDeno, taskArguments } from "../support/task.ts";
import { tinyRecipe, withTinyData } from "../support/tiny_run.ts";

const namesIn = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

Deno.test("a dry run says what a run would be of and take, and leaves no file", () =>
  withTinyData(async (folder) => {
    const recipe = join(folder, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const before = await namesIn(folder);
    const args = [recipe, "--backend", "cpu", "--out", join(folder, "run"), "--set", "train.epochs=50"];
    const { code, stdout, stderr } = await runHere("train", [...args, "--dry-run"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.slice(stdout.indexOf("dry run of tiny: no run was written")).split("\n");
    const said = Object.fromEntries(lines.map((line) => line.split(/ {2,}/)));
    assert.equal(said.examples, "72 training, 24 validation, 24 test");
    assert.equal(said.input, "images of 8 x 8 x 1; 3 classes");
    assert.match(said.steps, /^(\d+): 50 epochs of \d+, batches of \d+$/);
    assert.match(said.student, /^resnet, [\d,]+ parameters in training, [\d,]+ at inference \([\d.]+ kB\)$/);
    assert.match(
      said["over-parameterised"],
      /conv2\.weight \(3 cores\), .* and 3 more; [\d,]+ multiply-adds to make them$/,
    );
    assert.match(said["a step"], /^[\d.]+ m?s, [\d,]+ examples\/s: the median of \d+$/);
    assert.match(said.training, /^about [\d.]+s on this cpu backend; /);
    assert.deepEqual(await namesIn(folder), before);

    // What the run itself would refuse is refused, under the user's own names.
    const taken = join(folder, "taken");
    await Deno.writeTextFile(taken, "");
    for (
      const [out, says] of [
        [taken, `Cannot make the run folder "${taken}" as there is a file of this name\n`],
        [join(taken, "run"), `Cannot make the run folder "${join(taken, "run")}"`],
      ]
    ) {
      const { code, stderr } = await runHere("train", [recipe, "--backend", "cpu", "--dry-run", "--out", out]);
      assert.deepEqual([code, stderr.slice(0, says.length)], [2, says], stderr);
    }
    const answers = Array.from({ length: 96 }, (_, i) => JSON.stringify({ 0: 0, 1: 0, 2: 0, [i % 3]: 3 }));
    await Deno.writeTextFile(join(folder, "answers.jsonl"), answers.join("\n"));
    const taught = await runHere("distill", [
      ...[recipe, "--backend", "cpu", "--out", join(folder, "run"), "--dry-run"],
      ...["--set", `teacher={ use: outputs, file: ${join(folder, "answers.jsonl")}, key: row, values: logits }`],
      ...["--set", "losses=[{ use: kd }]"],
    ]);
    assert.deepEqual([taught.code, taught.stderr], [0, ""]);
    assert.match(taught.stdout, /^teacher +a file of outputs$/m);
    const cut = await runHere("train", [...args, "--dry-run", "--set", "export={ keepFactors: true, rank: 2 }"]);
    assert.match(cut.stdout, /^student .* at inference \([\d.]+ kB\), before it is cut$/m, cut.stderr);

    const resumed = await runHere("train", [...args, "--dry-run", "--resume"]);
    assert.equal(resumed.code, 2);
    assert.match(resumed.stderr, /^Cannot resume in a dry run: leave out --resume or --dry-run$/m);
  }));

Deno.test("a dry run that is ended by two Ctrl-C leaves no file either", () =>
  withTinyData(async (folder) => {
    const recipe = join(folder, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const before = await namesIn(folder);
    // Steps that take long: the second Ctrl-C comes while they are taken.
    const slow = ["--set", "student.width=64", "--set", "student.overParameterise=[]", "--set", "train.batchSize=72"];
    const out = join(folder, "runs", "mine");
    const args = [...taskArguments("train"), recipe, "--backend", "cpu", "--out", out, "--dry-run", ...slow];
    const child = spawnDeno(args);
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    await readUntil(stdout, /parameters in training/);
    assert.deepEqual(await namesIn(folder), before);
    child.kill("SIGINT");
    child.kill("SIGINT");
    const { code } = await child.status;
    assert.equal(code, 130, await readRest(stdout) + await readRest(stderr));
    assert.deepEqual(await namesIn(folder), before);
  }));

Deno.test("compare's dry run says which runs are to do at each budget, and leaves no file", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
    const file = join(folder, "grid.yaml");
    await Deno.writeTextFile(
      file,
      "base: tiny.yaml\nrows: { plain: { student: { overParameterise: [] } }, chains: }\nbudgets: [1x, 3x]\n" +
        "confirm: { seeds: [11, 12] }\n",
    );
    const before = await namesIn(folder);
    const args = [file, "--backend", "cpu", "--output", join(folder, "runs", "grid"), "--dry-run"];
    const { code, stdout, stderr } = await runHere("compare", args);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n").slice(-5);
    assert.match(lines[0], /^row +runs to do +done +epochs to do +an epoch +training$/);
    for (const [index, row] of ["plain", "chains"].entries()) {
      assert.match(lines[1 + index], new RegExp(`^${row} +6 +0 +60 +\\d+\\.\\d\\d s +[\\d.]+s$`));
    }
    assert.match(lines[3], /^in all 12 runs to do, 0 done: about [\d.]+s of training; /);
    assert.match(lines[4], /^to confirm rows that win or lose: at most 8 runs, about [\d.]+s$/);
    assert.deepEqual(await namesIn(folder), before);
    for (const [set, instead] of [["seed=7", "--seeds"], [`output=${join(folder, "other")}`, "--output"]]) {
      const { code, stderr } = await runHere("compare", [file, "--set", set]);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`^--set .*: Cannot set .*, which the grid sets in each run: give ${instead}, `));
    }
    const wrong = await runHere("compare", [file, "--budgets", "1x,2"]);
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /^--budgets 1x,2: Expected a multiple of the recipe's epochs as 4x, or a time as 90s, /m,
    );
  }));

Deno.test("compare's dry run counts a run whose data have changed as one to do, as the run itself does", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
    const file = join(folder, "grid.yaml");
    await Deno.writeTextFile(
      file,
      "base: tiny.yaml\nseeds: [1]\nrows: { plain: { student: { overParameterise: [] }, train: { epochs: 1 } } }\n",
    );
    const args = [file, "--backend", "cpu", "--output", join(folder, "runs")];
    assert.equal((await runHere("compare", args)).code, 0);
    const dry = async () => (await runHere("compare", [...args, "--dry-run"])).stdout.match(/in all .* done/)?.[0];
    assert.equal(await dry(), "in all 0 runs to do, 1 done");
    const images = await Deno.readFile(join(folder, "train-images"));
    await Deno.writeFile(join(folder, "train-images"), images.with(images.length - 1, images.at(-1)! ^ 1));
    assert.equal(await dry(), "in all 1 run to do, 0 done");
  }));

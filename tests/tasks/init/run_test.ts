import assert from "node:assert/strict";
import { join } from "node:path";
import { runHere } from "../../support/run_here.ts";
import { runTask } from "../../support/task.ts";
import { tinyRun, withTinyData } from "../../support/tiny_run.ts";

Deno.test("init writes a recipe for somebody's images and teacher, and tries it for a few steps", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, {
      output: "teacher",
      overrides: ["train.epochs=5", "student.depth=14", "student.overParameterise=[]"],
    });
    const out = join(folder, "own.yaml");
    const args = ["--data", folder, "--teacher", join(folder, "teacher"), "--name", "own", "--out", out];
    const { code, stdout, stderr } = await runTask("init", args);
    assert.deepEqual([code, stderr], [0, ""]);
    const said = Object.fromEntries(stdout.split("\n").map((line) => line.trim().split(/ {2,}/)));
    assert.equal(said.classes, "3: 0 (32), 1 (32), 2 (32)");
    assert.match(stdout, /^teacher .*student: resnet, [\d,]+ parameters, images of 8 x 8 as the data, /m);
    assert.match(stdout, /^student {3}resnet, 13,055 parameters in training, 5,023 at inference; at least 157 kB /m);
    assert.equal(said.written, out);
    assert.equal(said.examples, "77 training, 19 validation, 24 test");
    assert.match(said.student, /^resnet, [\d,]+ parameters in training, /);
    assert.match(said["over-parameterised"], /^layer1\.0\.conv1\.weight \(3 cores\), /);
    assert.match(said["a step"], /^[\d.]+ m?s, /);
    assert.equal(said.next, `deno task distill ${out}`);
    const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
    assert.deepEqual(names, ["own.yaml", "teacher", "test-images", "test-labels", "train-images", "train-labels"]);

    const again = await runHere("init", args);
    assert.deepEqual([again.code, again.stdout], [2, ""]);
    assert.match(again.stderr, /own\.yaml" as it is there already: --force replaces it, --out names another$/m);

    // What the trial refuses is not written, and replaces nothing.
    await Deno.writeTextFile(out, "mine");
    const weights = join(folder, "teacher", "student", "model.safetensors");
    const bytes = await Deno.readFile(weights);
    await Deno.writeFile(weights, bytes.fill(0xff, -4)); // not a number
    const refused = await runHere("init", [...args, "--force"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /model\.safetensors.*\nCannot write ".*own\.yaml" as that refuses it: --no-dry-run /);
    assert.equal(await Deno.readTextFile(out), "mine");
    await Deno.writeFile(weights, bytes.slice(0, -4));
    const short = await runHere("init", [...args, "--force"]);
    assert.match(short.stderr, /beyond the \d+ bytes of data\nCannot write ".*own\.yaml" as that refuses it$/m);
    assert.equal(await Deno.readTextFile(out), "mine");
    await Deno.writeFile(weights, bytes);
    const hand = await runHere("init", [...args, "--force", "--no-dry-run", "--name", "hand"]);
    assert.equal(hand.code, 0, hand.stderr);
    assert.match(await Deno.readTextFile(out), /^name: hand$/m);
  }));

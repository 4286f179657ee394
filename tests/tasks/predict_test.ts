import assert from "node:assert/strict";
import { join } from "node:path";
import { answerOptions, backgroundOf } from "../../tasks/predict/answer_flags.ts";
import { backendChoice } from "../../tasks/support/backend.ts";
import { noisePng } from "../support/pictures.ts";
import { runHere } from "../support/run_here.ts";
import { runTask } from "../support/task.ts";

const MODELS = "plugins/models/data";

/** Runs `predict` on the cpu. */
const predict = (...args: string[]) => runHere("predict", [...args, "--backend", "cpu"]);
/** The same as a process of its own, whose standard input is empty. */
const predictAlone = (...args: string[]) => runTask("predict", [...args, "--backend", "cpu"]);

Deno.test("predict tells tags and spans, and classes of pictures in a table or as JSON", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [one, two] = [join(folder, "one.png"), join(folder, "two.png")];
    await Deno.writeFile(one, noisePng(1, 28, 28, 1));
    await Deno.writeFile(two, noisePng(2, 28, 28, 3));
    const [tags, pictures, json] = await Promise.all([
      predictAlone(`${MODELS}/phrases-bert`, "We hold these truths to be self-evident", "deno.json"),
      predict(`${MODELS}/fashion-resnet20`, folder, "--top", "2"),
      predict(`${MODELS}/fashion-resnet20`, one, two, "--json", "--batch-size", "1"),
    ]);
    const note = '"deno.json" is taken as a text: --file deno.json reads texts from the file\n';
    assert.deepEqual([tags.code, tags.stderr], [0, note]);
    assert.deepEqual(tags.stdout.split("\n").slice(1, 14), [
      ...["We            B-NP", "hold          B-VP", "these         B-NP", "truths        I-NP"],
      ...["to            B-VP", "be            I-VP", "self-evident  B-NP"],
      ...["NP: We", "VP: hold", "NP: these truths", "VP: to be", "NP: self-evident"],
      "",
    ]);
    assert.equal(pictures.code, 0, pictures.stderr);
    const row = /^\S+ +\w[\w -]* +\d+\.\d\d % {2}\w[\w -]* \d+\.\d\d %$/;
    const [, header, ...rows] = pictures.stdout.trimEnd().split("\n");
    assert.match(header, /^input +label +probability {2}next$/);
    assert.deepEqual([rows.length, rows.every((line) => row.test(line))], [2, true], pictures.stdout);
    assert.match(json.stderr, /^Backend cpu /);
    const { task, architecture, backend, answers } = JSON.parse(json.stdout);
    assert.deepEqual([task, architecture, backend], ["classification", "resnet", "cpu"]);
    assert.deepEqual(answers.map(({ input }: { input: string }) => input), [one, two]);
    for (const { label, probability, top } of answers) {
      assert.deepEqual(top[0], { label, probability });
      assert.equal(top.length, 3);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("predict refuses what it cannot answer with exit code 2 and a sentence", async () => {
  const onnx = await Deno.makeTempDir();
  await Deno.mkdir(`${onnx}/onnx`);
  await Deno.writeTextFile(`${onnx}/onnx/model.onnx`, "");
  await Deno.writeTextFile(`${onnx}/config.json`, '{ "architecture": "resnet", "exportedFrom": {} }');
  const refusals: readonly (readonly [args: string[], says: RegExp])[] = [
    [["nowhere", "a"], /^Cannot predict with "nowhere" as it is no model folder: there is no config\.json in it, /],
    [
      [onnx, "a"],
      /^Cannot predict with ".*" as it is an ONNX model, which evaluate and recipes read: expected a folder /,
    ],
    [[`${onnx}/onnx/model.onnx`, "a"], /^Cannot predict with ".*" as it is an ONNX model, /],
    [[`${MODELS}/mail-bert4`], /^Cannot predict without texts: standard input has none; expected one a line, /],
    [[`${MODELS}/fashion-resnet20`, "a", "--file", "b"], /^--file: Expected a model of texts: this one takes pictures/],
  ];
  const ends = await Promise.all(refusals.map(([args]) => (args.length === 1 ? predictAlone : predict)(...args)));
  ends.forEach(({ code, stderr }, index) => {
    assert.equal(code, 2, stderr);
    assert.match(stderr, refusals[index][1]);
    assert.equal(stderr.trimEnd().split("\n").length, 1);
  });
  await Deno.remove(onnx, { recursive: true });
});

Deno.test("flags that say how to answer are checked", () => {
  const flags = { backend: "cpu", top: "3", threshold: "0.5" };
  const refused = (call: () => unknown, message: string) => assert.throws(call, { name: "UserError", message });
  refused(() => answerOptions({ ...flags, top: "0" }), "--top 0: Expected a whole number from 1");
  refused(() => answerOptions({ ...flags, threshold: "1" }), "--threshold 1: Expected a number between 0 and 1");
  refused(() => backendChoice("gpu"), "--backend gpu: Expected auto, webgpu or cpu");
  for (const background of ["red", "1,2", "1,2,256", "1,2,-3"]) {
    refused(
      () => backgroundOf({ ...flags, background }),
      `--background ${background}: Expected red, green and blue, as in 255,255,255, or drop`,
    );
  }
  const read = ["255,0, 7", "[255, 0, 7]", "drop", undefined].map((background) =>
    backgroundOf({ ...flags, background })
  );
  assert.deepEqual(read, [[255, 0, 7], [255, 0, 7], "drop", null]);
});

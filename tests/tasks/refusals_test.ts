import assert from "node:assert/strict";
import { join } from "node:path";
import { writeSafetensors } from "../../core/safetensors.ts";
import { runHere } from "../support/run_here.ts";
import { runDeno, runTask, taskArguments } from "../support/task.ts";
import { tinyRecipe, withTinyData } from "../support/tiny_run.ts";

/** No backend of wgpu is of this name on this system, so that no adapter is found. */
const withoutAdapters = { DENO_WEBGPU_BACKEND: Deno.build.os === "darwin" ? "dx12" : "metal" };

/** A wrong call and what it says. */
type Refusal = readonly [
  verb: Parameters<typeof runTask>[0],
  args: string[],
  says: RegExp,
  env?: Record<string, string>,
];

/** Writes wrong recipes and files beside the tiny data set, and returns what to do with them. */
async function refusalsIn(folder: string): Promise<Refusal[]> {
  const at = (name: string) => join(folder, name);
  const write = (name: string, from: string, to: string) => Deno.writeTextFile(at(name), tinyRecipe.replace(from, to));
  await write("tiny.yaml", "", "");
  await write("key.yaml", "epochs: 5", "epoch: 5");
  await write("loss.yaml", "use: cross-entropy", "use: cross-entropi");
  await write("factors.yaml", "cores: 3", "rows: [3, 3], cols: [6, 6]");
  await write("cut.yaml", "images: train-images", "images: cut-images");
  await write("teacher.yaml", "student:", "teacher: { use: resnet, depth: 8, weights: nowhere }\nstudent:");
  await Deno.writeFile(at("cut-images"), (await Deno.readFile(at("train-images"))).subarray(0, 1000));
  const matrix = { shape: [12, 12], data: new Float32Array(144) };
  await writeSafetensors(at("matrix.safetensors"), new Map([["fc.weight", matrix]]));
  const decompose = (...args: string[]) => [at("matrix.safetensors"), ...args];
  return [
    [
      "sweep",
      [at("tiny.yaml"), "--set", "output=x"],
      /^--set output=x: Cannot set output, .*: give --output, the folder /,
    ],
    ["train", ["--sed", "3"], /^Unknown option "--sed": did you mean "--seed" or "--set"\?$/],
    ["train", [at("none.yaml")], /^Cannot read the recipe ".*none\.yaml" as there is no such file or folder$/],
    ["train", [at("key.yaml")], /key\.yaml:15:10: Unknown key "epoch" in train: did you mean "epochs"\?/],
    ["train", [at("loss.yaml")], /loss\.yaml:14:17: Unknown loss "cross-entropi" .*: did you mean "cross-entropy"\?$/],
    ["train", [at("factors.yaml")], /factors\.yaml:13:22: Cannot split \d+ into rows \[3, 3\] as the factors must/],
    ["train", [at("cut.yaml")], /cut\.yaml:6:3: Cannot read ".*cut-images" as IDX: .*/],
    ["train", [at("teacher.yaml")], /teacher\.yaml:9:1: Cannot train alone with a teacher: use distill/],
    ["train", [at("tiny.yaml"), "--set", "train.epochs"], /^--set train\.epochs: Cannot find the value: write it as /],
    ["train", [at("tiny.yaml"), "--seed", "x"], /^--seed x: Expected an integer >= 0 .* for seed: got "x"$/],
    ["train", [at("tiny.yaml"), "--backend", "gpu"], /^--backend gpu: .*, did you mean "webgpu"\?$/],
    [
      "train",
      [at("tiny.yaml"), "--backend", "webgpu"],
      /^Cannot use --backend webgpu as no .* adapter/,
      withoutAdapters,
    ],
    ["train", [at("tiny.yaml"), "--out", at("new"), "--resume"], /^Cannot resume as there is no checkpoint ".*new/],
    ["distill", [at("tiny.yaml")], /tiny\.yaml:2:1: Cannot distil without a teacher: name one, or use train/],
    ["evaluate", [folder], /^Cannot evaluate ".*" as it is no model folder: there is no config\.json in it/],
    ["merge", [folder], /^Cannot read the recipe ".*recipe\.yaml" as there is no such file or folder$/],
    ["decompose", decompose("--cores", "3"), /without --tensor NAME: it holds\n {2}fc\.weight {2}\[12, 12\] {2}F32$/],
    ["decompose", decompose("--tensor", "fc.wieght", "--cores", "3"), /^Unknown tensor "fc\.wieght" .*"fc\.weight"\?$/],
    ["decompose", decompose("--tensor", "fc.weight"), /^Expected one of --rows with --cols, --cores, or /],
  ];
}

Deno.test("wrong calls end with exit code 2 and one sentence that names what is wrong", () =>
  withTinyData(async (folder) => {
    const refusals = await refusalsIn(folder);
    for (const [verb, args, says, env] of refusals) {
      const { code, stderr } = env ? await runTask(verb, args, env) : await runHere(verb, args);
      const told = stderr.trimEnd();
      assert.equal(code, 2, `${verb} ${args.join(" ")}: ${told}`);
      assert.match(told, says);
      assert.ok(!told.includes("    at "), "no stack");
    }
  }));

Deno.test("an unknown verb, no verb, and help", async () => {
  const program = taskArguments("train").slice(0, -1);
  const [unknown, none, help] = await Promise.all(
    [["distil"], [], ["distill", "--help"]].map((args) => runDeno([...program, ...args])),
  );
  assert.deepEqual([unknown.code, unknown.stderr], [2, 'Unknown command "distil": did you mean "distill"?\n']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^Usage: opdf .*\n[^]* {2}distill [^]* {2}doctor /);
  assert.equal(help.code, 0);
  for (const flag of ["--set", "--seed", "--backend", "--out", "--resume", "--quiet", "--verbose"]) {
    assert.ok(help.stdout.includes(flag), flag);
  }
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { readRest, readUntil, textOf } from "../support/child_text.ts";
import { runHere } from "../support/run_here.ts";
import { runTask, spawnDeno, taskArguments } from "../support/task.ts";
import { DIVERGING, tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);
const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));

Deno.test("distill prints the backend, plain progress and the table; evaluate and --quiet agree with it", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["train.epochs=1", "student.width=6"] });
    const recipe = join(folder, "distill.yaml");
    const taught = tinyRecipe.replace(
      "student:",
      "teacher: { use: resnet, depth: 8, width: 6, weights: teacher/student }\nstudent:",
    ).replace("cross-entropy }", "cross-entropy }, { use: kd }");
    await Deno.writeTextFile(recipe, taught);
    const run = join(folder, "run");
    const args = [recipe, "--set", "train.epochs=2", "--backend", "cpu"];
    const { code, stdout, stderr } = await runTask("distill", [...args, "--out", run]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.split("\n");
    assert.match(lines[0], /^Backend cpu \(WebAssembly SIMD.*\): as asked for; --backend auto chooses$/);
    const progress =
      /^epoch \d\/2 {2}step +\d+\/\d+ {2}loss \d\.\d{4} {2}accuracy \d+\.\d\d % {2}[\d,]+ examples\/s {2}\d:\d\d left$/;
    assert.ok(lines.some((line) => progress.test(line)), stdout);
    assert.ok(!stdout.includes("\r") && !stdout.includes("\x1b"), "no control characters in a file");
    const table = lines.slice(lines.indexOf("") + 1);
    assert.match(table[0], /^tiny +teacher +student$/);

    const { teacher, student } = await readJson(join(run, "metrics.json"));
    const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
    assert.deepEqual(table[1].split(/ {2,}/), ["test accuracy", percent(teacher.accuracy), percent(student.accuracy)]);

    const evaluated = await runTask("evaluate", [run, "--json"]);
    assert.equal(evaluated.code, 0);
    const report = JSON.parse(evaluated.stdout);
    assert.deepEqual([report.metrics.accuracy, report.examples], [student.accuracy, 24]);
    assert.ok(Math.abs(report.loss - student.loss) < 1e-5);
    assert.match(evaluated.stderr, /^Backend /);

    const quiet = await runHere("distill", [...args, "--quiet", "--out", join(folder, "quiet")]);
    assert.deepEqual([quiet.code, quiet.stderr], [0, ""]);
    const numbers = (text: readonly string[]) => text.slice(0, 6);
    assert.deepEqual(numbers(quiet.stdout.split("\n")), numbers(table));
  }));

Deno.test("Ctrl-C writes a checkpoint and ends with 130; it is resumed, and merged to a student", () =>
  withTinyData(async (folder) => {
    const recipe = join(folder, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const run = join(folder, "run");
    const flags = ["--backend", "cpu", "--out", run, "--verbose", "--set", "train.logEvery=1"];
    const args = [...taskArguments("train"), recipe, ...flags, "--set", "train.epochs=100000"];

    for (const [resume, expected] of [[false, /step +3\//], [true, /resumed after step \d+ [^]*step /]] as const) {
      const child = spawnDeno(resume ? [...args, "--resume"] : args);
      const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
      await readUntil(stdout, expected);
      child.kill("SIGINT");
      await readRest(stdout);
      const told = await readRest(stderr);
      assert.equal((await child.status).code, 130, told);
      assert.match(
        told,
        /^Warning: stopping with a checkpoint as soon as the current step is done .*; Ctrl-C again stops at once\n/,
      );
      assert.match(told, /\nStopped after step \d+ of \d+; --resume continues from ".*state\.safetensors"\n$/);
      assert.ok(await exists(join(run, CHECKPOINT_FILE)));
    }

    assert.ok(!await exists(join(run, "student")));
    const merged = await runTask("merge", [run]);
    assert.deepEqual([merged.code, merged.stderr], [0, ""]);
    assert.match(merged.stdout, /^Merged the student after step \d+ to .*student: 5,023 parameters\n$/);
    assert.equal((await readJson(join(run, "student", "config.json"))).architecture, "resnet");
  }));

Deno.test("a second Ctrl-C ends the process at once", async () => {
  const program = `
    import { stoppable } from "./tasks/support/interrupt.ts";
    setInterval(() => {}, 1000);
    const forever = stoppable(() => new Promise(() => {}), () => console.log("stopping"));
    console.log("ready");
    await forever;`;
  const child = spawnDeno(["eval", program]);
  const stdout = textOf(child.stdout);
  await readUntil(stdout, /ready/);
  child.kill("SIGINT");
  await readUntil(stdout, /stopping/);
  child.kill("SIGINT");
  assert.equal(await readRest(stdout), "");
  await child.stderr.cancel();
  assert.equal((await child.status).code, 130);
});

Deno.test("a loss that is not finite ends with 1, a plug-in that throws with 2, its stack shown only with --verbose", () =>
  withTinyData(async (folder) => {
    const [recipe, broken] = [join(folder, "tiny.yaml"), join(folder, "broken.yaml")];
    await Deno.writeTextFile(recipe, tinyRecipe);
    await Deno.writeTextFile(broken, tinyRecipe.replace("use: cross-entropy", "use: ./broken_loss.ts"));
    await Deno.writeTextFile(
      join(folder, "broken_loss.ts"),
      `const compute = () => { throw new TypeError("no such thing"); };
       export default {
         kind: "loss", name: "broken", description: "", options: ({ z }) => z.strictObject({}),
         create: () => ({ teacherOutputs: [], compute }),
       };`,
    );
    const train = (run: string, ...args: string[]) =>
      runTask("train", [...args, "--backend", "cpu", "--quiet", "--out", join(folder, run)]);
    const [infinite, brief, long] = await Promise.all([
      train("infinite", recipe, "--set", DIVERGING),
      train("brief", broken),
      train("long", broken, "--verbose"),
    ]);
    assert.deepEqual([infinite.code, brief.code, long.code], [1, 2, 2]);
    assert.match(infinite.stderr, /^Stopped at step \d+ as its loss is not finite; .*learningRate.*\n$/);
    assert.match(brief.stderr, /^.*\.yaml:\d+:\d+: The loss "broken" failed in compute: no such thing\n$/);
    assert.match(long.stderr, /no such thing\nTypeError: no such thing\n +at .*compute.*broken_loss\.ts/);
  }));

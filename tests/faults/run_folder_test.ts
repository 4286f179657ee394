import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { Run } from "../../core/distill/run.ts";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { builtins } from "../../plugins/builtins.ts";
import { endedByHook, killedAtCall } from "../support/hook.ts";
import { checkOneRun, namesIn, runsIn, textOf } from "../support/run_files.ts";
import { runHere } from "../support/run_here.ts";
import { runTask, spawnDeno, taskArguments } from "../support/task.ts";
import { DIVERGING, tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

const SHORT = ["train.epochs=1"];
Deno.test("a rerun puts the results of the run before aside, whole, and leaves nothing half done", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run");
    await tinyRun(folder, { overrides: SHORT });
    const first = await checkOneRun(run);
    await Deno.mkdir(join(run, "student.unverified"));
    const name = ".metrics.json.01234567-89ab-cdef-0123-456789abcdef.tmp";
    await Deno.writeTextFile(join(run, name), "half");
    await Deno.writeTextFile(join(run, ".mine.tmp"), "the user's");

    await tinyRun(folder, { overrides: [...SHORT, "seed=4"] });
    const second = await checkOneRun(run);
    assert.notEqual(second, first);
    assert.equal(await checkOneRun(join(run, "previous")), first);
    const results = ["checkpoint", "metrics.json", "metrics.jsonl", "recipe.yaml", "student"];
    assert.deepEqual(namesIn(run), [".mine.tmp", ...results, "previous"].sort());
    assert.deepEqual(namesIn(join(run, "previous")), results);
  }));

Deno.test("reruns that fail early do not cost the last student", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run");
    await tinyRun(folder, { overrides: SHORT });
    const first = await checkOneRun(run);
    for (const _ of [1, 2]) {
      await assert.rejects(tinyRun(folder, { overrides: [DIVERGING] }), /not finite/);
      assert.ok(!namesIn(run).includes("student"));
      await checkOneRun(run);
    }
    assert.equal(await checkOneRun(join(run, "previous")), first);
  }));

Deno.test("a refused rerun changes nothing, and a refused first run leaves no folder", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run");
    await tinyRun(folder, { overrides: SHORT });
    const before = namesIn(run);
    const refused = ["dataset.train.images=nowhere"];
    await assert.rejects(tinyRun(folder, { overrides: refused }), /nowhere/);
    assert.deepEqual(namesIn(run), before);
    await assert.rejects(tinyRun(folder, { overrides: refused, output: "fresh" }), /nowhere/);
    assert.ok(!namesIn(folder).includes("fresh"));
  }));

/** Kills a run as it is about to do one of the first so many changes of files; returns whether it came to its end. */
async function killedAt(change: number, args: readonly string[], folder: string): Promise<boolean> {
  const [run, ...task] = taskArguments("train");
  const child = spawnDeno([run, ...await killedAtCall(folder, change), ...task, ...args]);
  const { code, signal, stderr } = await endedByHook(child);
  assert.ok(signal === "SIGKILL" || code === 0, `${code}: ${stderr}`);
  return signal === null;
}

Deno.test("killed at changes of files, a rerun leaves files of one run, and the finished student somewhere", () =>
  withTinyData(async (folder) => {
    const recipe = join(folder, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const run = join(folder, "run");
    await tinyRun(folder, { overrides: SHORT });
    const first = await checkOneRun(run);
    const args = [
      recipe,
      "--backend",
      "cpu",
      "--out",
      run,
      "--quiet",
      "--set",
      "train.epochs=1",
      "--set",
      "train.maxSteps=1",
    ];
    // Every thirtieth; `deno task torture --only "killed at a call"` tries the others.
    let change = 0;
    while (true) {
      // Each starts from what the kill before it left, so that a killed tidying up is tidied up as well.
      const ended = await killedAt(change, args, folder);
      const runs = Object.keys(await runsIn(run)).length === 0 ? null : await checkOneRun(run);
      const students = ["", "previous", "previous.moving"].map((part) => join(run, part, "student"));
      const whole = await Promise.all(
        students.map((path) => textOf(path, "config.json").then((text) => text !== null)),
      );
      assert.ok(whole.some(Boolean), `after the kill at ${change}: no student`);
      if (ended) {
        assert.notEqual(runs, first);
        break;
      }
      change += 30;
    }
    assert.ok(change >= 30, `${change} changes`);
    const results = [
      "checkpoint",
      "metrics.json",
      "metrics.jsonl",
      "recipe.yaml",
      "record.json",
      "report.html",
      "student",
    ];
    assert.deepEqual(namesIn(run), [...results, "previous"].sort());
  }));

Deno.test("--resume undoes a rerun that was killed as it moved results, and moves what another run left", () =>
  withTinyData(async (folder) => {
    const run = join(folder, "run");
    await tinyRun(folder, { overrides: SHORT });
    const first = await checkOneRun(run);
    const moving = join(run, "previous.moving");
    await Deno.mkdir(moving);
    for (const name of ["metrics.json", "student", "checkpoint"]) {
      await Deno.rename(join(run, name), join(moving, name));
    }
    await tinyRun(folder, { overrides: SHORT, resume: true });
    assert.equal(await checkOneRun(run), first);
    assert.ok(!namesIn(run).some((name) => name.startsWith("previous")));

    // As older versions left it: the results of one run beside the checkpoint of another.
    await tinyRun(folder, { overrides: SHORT, output: "other" });
    await Deno.copyFile(join(folder, "other", CHECKPOINT_FILE), join(run, CHECKPOINT_FILE));
    await tinyRun(folder, { overrides: SHORT, resume: true });
    assert.equal(await checkOneRun(run), await checkOneRun(join(folder, "other")));
    const kept = JSON.parse(await Deno.readTextFile(join(run, "previous", "metrics.json")));
    assert.equal(kept.run, first);

    const recipe = join(folder, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    await Deno.mkdir(join(folder, "gone", "previous", "checkpoint"), { recursive: true });
    await Deno.writeTextFile(join(folder, "gone", "previous", CHECKPOINT_FILE), "");
    const { code, stderr } = await runHere("train", [recipe, "--out", join(folder, "gone"), "--resume"]);
    assert.deepEqual([code, stderr], [
      2,
      `Cannot resume as there is no checkpoint "${
        join(folder, "gone", CHECKPOINT_FILE)
      }": start anew without --resume; ` +
      `that of the run before is in "${join(folder, "gone", "previous")}"\n`,
    ]);
  }));

Deno.test("exported twice, the student is whole at every moment", () =>
  withTinyData(async (folder) => {
    const output = join(folder, "run");
    const recipe = parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [{ path: ["output"], value: output, label: "test" }],
    });
    const backend = await CpuBackend.create();
    const { rename, remove } = Deno;
    try {
      using run = await Run.open(recipe, { backend, builtins });
      await run.export();
      assert.deepEqual(namesIn(output).filter((name) => name !== ".lock"), ["recipe.yaml", "student"]);
      const files = namesIn(join(output, "student"));
      await run.step();
      let moves = 0;
      const isWhole = () => {
        // What is not there must not look like a file that the caller may miss.
        assert.ok([...Deno.readDirSync(output)].some(({ name }) => name === "student"), "no student");
        assert.deepEqual(namesIn(join(output, "student")), files);
      };
      Deno.rename = async (from, to) => {
        await rename(from, to);
        moves++;
        isWhole();
      };
      Deno.remove = async (path, options) => {
        await remove(path, options);
        isWhole();
      };
      await run.export();
      assert.ok(moves >= files.length);
      await checkOneRun(output);
    } finally {
      Object.assign(Deno, { rename, remove });
      await backend.close();
    }
  }));

Deno.test("two runs in one folder: the second is refused before anything, whoever started it", () =>
  withTinyData(async (folder) => {
    const output = join(folder, "run");
    const recipe = parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [{ path: ["output"], value: output, label: "test" }],
    });
    await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
    const backend = await CpuBackend.create();
    {
      using run = await Run.open(recipe, { backend, builtins });
      await run.step();
      const says =
        `Cannot write to "${output}" as another run writes to it (process ${Deno.pid}): wait for it to end, ` +
        "or name another folder";
      await assert.rejects(Run.open(recipe, { backend, builtins }), { name: "UserError", message: says });
      const args = [join(folder, "tiny.yaml"), "--backend", "cpu", "--out", output, "--quiet"];
      const second = await runTask("train", args);
      assert.deepEqual([second.code, second.stderr], [2, `${says}\n`]);
      const merged = await runHere("merge", [output]);
      assert.deepEqual([merged.code, merged.stderr], [2, `${says.replace("another run", "a run")}\n`]);
      await run.export();
    }
    (await Run.open(recipe, { backend, builtins }))[Symbol.dispose]();
    await backend.close();
  }));

Deno.test("what is in the way of a run's files is told before training, with the path", () =>
  withTinyData(async (folder) => {
    const recipe = join(folder, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const names = ["student", "student.unverified", "checkpoint", "metrics.jsonl", "metrics.json", "recipe.yaml"];
    for (const name of [...names, CHECKPOINT_FILE]) {
      const run = join(folder, name.replace("/", "-"));
      const isFile = name.includes(".") && !name.endsWith("unverified");
      await Deno.mkdir(run);
      if (isFile) await Deno.mkdir(join(run, name), { recursive: true });
      else await Deno.writeTextFile(join(run, name), "");
      const [is, wanted] = isFile ? ["folder", "file"] : ["file", "folder"];
      await assert.rejects(tinyRun(folder, { output: name.replace("/", "-"), overrides: SHORT }), {
        name: "UserError",
        message: `Cannot use the run folder "${run}" as "${join(run, name)}" is a ${is}, where the run writes a ` +
          `${wanted}: move it away, or name another run folder`,
      });
    }
    await Deno.writeTextFile(join(folder, "taken"), "");
    const taken = await runHere("train", [recipe, "--backend", "cpu", "--out", join(folder, "taken")]);
    assert.equal(taken.code, 2);
    assert.equal(
      taken.stderr,
      `Cannot make the run folder "${join(folder, "taken")}" as there is a file of that name: move it away, or name ` +
        "another\n",
    );
  }));

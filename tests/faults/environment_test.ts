import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { CHECKOUT, type Ended, runTask, spawnDeno, taskArguments } from "../support/task.ts";
import { CAN_MOUNT, withSmallDisk } from "../support/small_disk.ts";
import { studentBytes } from "../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

/** All names of a folder and the folders in it. */
function allNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => [
    name,
    ...(isDirectory ? allNames(join(folder, name)) : []),
  ]);
}

/** One sentence, exit code 2, and nothing of the runtime's own words. */
function assertSentence({ code, stderr }: Ended, says: RegExp): void {
  assert.match(stderr, says);
  assert.doesNotMatch(stderr, /Internal error|os error|allow-all|\n./);
  assert.equal(code, 2);
}

Deno.test({
  name: "a disk that fills up at any point of a run ends it with a sentence, and leaves no half of a file",
  ignore: !CAN_MOUNT,
  fn: () =>
    withTinyData(async (data) => {
      await tinyRun(data, { overrides: ["train.epochs=2"], output: "whole" });
      let full = 0, resumed = 0, ended = false;
      for (let pages = 1; !ended; pages += pages < 8 ? 1 : 5) {
        await withSmallDisk(4096 * pages, async ({ folder, resize }) => {
          const run = join(folder, "run");
          const options = { overrides: ["train.epochs=2", "train.logEvery=1", `output=${run}`] };
          try {
            await tinyRun(data, options);
            ended = true;
            return;
          } catch (error) {
            assert.ok(error instanceof UserError, `${pages} pages: ${error}`);
            const says =
              /^Cannot (write|make|lock)( into| the run folder)? ".*" as the disk is full: free some space, or /;
            assert.match(error.message, says);
            full++;
          }
          assert.deepEqual(allNames(folder).filter((name) => name.endsWith(".tmp")), []);
          resize(2 ** 24);
          const resume = await Deno.stat(join(run, CHECKPOINT_FILE)).then(() => true, () => false);
          if (resume) resumed++;
          await tinyRun(data, { ...options, resume });
          const bytes = await Deno.readFile(join(run, "student", "model.safetensors"));
          assert.deepEqual(bytes, await studentBytes(data, "whole"), `${pages} pages`);
        });
      }
      assert.ok(full >= 10 && resumed >= 3, `${full} full disks, ${resumed} resumed`);
    }),
});

Deno.test({
  name: "a read-only disk is told before training, with the path",
  ignore: !CAN_MOUNT,
  fn: () =>
    withTinyData((data) =>
      withSmallDisk(2 ** 20, async ({ folder, makeReadOnly }) => {
        const recipe = join(data, "tiny.yaml");
        await Deno.writeTextFile(recipe, tinyRecipe);
        await Deno.mkdir(join(folder, "old"));
        makeReadOnly();
        for (const name of ["old", "new"]) {
          const ended = await runTask("train", [recipe, "--backend", "cpu", "--out", join(folder, name), "--quiet"]);
          assertSentence(
            ended,
            /^Cannot (write|make).*" as its file system is read-only: name a path that can be written$/m,
          );
          assert.ok(ended.stderr.includes(folder));
        }
      })
    ),
});

Deno.test("a folder of the system's, and a folder below a file, are refused with a sentence", () =>
  withTinyData(async (data) => {
    const recipe = join(data, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const train = (out: string) => runTask("train", [recipe, "--backend", "cpu", "--out", out, "--quiet"]);
    if (Deno.build.os === "linux") {
      const says =
        /^Cannot .* "\/proc\/run" as it belongs to the operating system, which Deno keeps programs out of: name /;
      assertSentence(await train("/proc/run"), says);
    }
    const below = join(recipe, "run");
    assertSentence(
      await train(below),
      /^Cannot make the run folder ".*" as a part of the path is a file, not a folder$/m,
    );
  }));

Deno.test({
  name: "a full disk behind standard output is a sentence on standard error",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const deno = [Deno.execPath(), ...taskArguments("plugins")].map((word) => `'${word}'`).join(" ");
    const command = new Deno.Command("sh", { args: ["-c", `${deno} > /dev/full`], cwd: CHECKOUT });
    const { code, stderr } = await command.output();
    assertSentence(
      { code, stdout: "", stderr: new TextDecoder().decode(stderr) },
      /^Cannot write to "standard output" as the disk is full: free some space, or name a path on another disk$/m,
    );
    const both = new Deno.Command("sh", { args: ["-c", `${deno} > /dev/full 2>&1`], cwd: CHECKOUT });
    assert.equal((await both.output()).code, 2);
  },
});

Deno.test("a run folder that is removed or moved while the run uses it ends the run with a sentence", () =>
  withTinyData(async (data) => {
    const recipe = join(data, "tiny.yaml");
    await Deno.writeTextFile(recipe, tinyRecipe);
    const changes: [string, (run: string) => Promise<void>][] = [
      ["removed", async (run) => {
        // Again where the run has just written another file.
        const remove = () => Deno.remove(run, { recursive: true }).then(() => true, () => false);
        while (!await remove() && await Deno.stat(run).then(() => true, () => false));
      }],
      ["moved", (run) => Deno.rename(run, `${run}.elsewhere`)],
      ["replaced", async (run) => {
        await Deno.rename(run, `${run}.elsewhere`);
        await Deno.mkdir(run);
      }],
    ];
    for (const [name, change] of changes) {
      const run = join(data, name);
      const flags = ["--backend", "cpu", "--out", run, "--set", "train.epochs=400", "--set", "train.logEvery=50"];
      const child = spawnDeno([...taskArguments("train"), recipe, ...flags]);
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let told = "";
      while (!/step +\d/.test(told)) told += (await reader.read()).value;
      await change(run);
      const rest = (async () => {
        while (!(await reader.read()).done);
      })();
      const [stderr, { code }] = await Promise.all([new Response(child.stderr).text(), child.status, rest]);
      assertSentence(
        { code, stderr, stdout: "" },
        /^Cannot write .*(its folder ".*" is not there|was moved or removed)/,
      );
      assert.ok(stderr.includes(run), stderr);
    }
  }));

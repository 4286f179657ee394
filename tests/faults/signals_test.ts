import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { studentBytes } from "../support/run_observers.ts";
import { runHere } from "../support/run_here.ts";
import { spawnDeno, taskArguments } from "../support/task.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

const onUnix = Deno.build.os !== "windows";

/** Starts a run, signals it once a pattern was told, and returns how it ended. */
async function signalled(
  args: readonly string[],
  pattern: RegExp,
  signals: readonly Deno.Signal[],
  ready: (child: Deno.ChildProcess) => Promise<void> = () => Promise.resolve(),
) {
  const child = spawnDeno([...taskArguments("train"), ...args]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  while (!pattern.test(told)) {
    const { value, done } = await reader.read();
    if (done) assert.fail(`ended before ${pattern}: ${told}`);
    told += value;
  }
  await ready(child);
  for (const signal of signals) child.kill(signal);
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  const [stderr, status] = await Promise.all([new Response(child.stderr).text(), child.status, rest]);
  return { stderr, ...status };
}

Deno.test({
  name: "SIGHUP and SIGTERM, also sent twice, leave a checkpoint that ends in the undisturbed run's student",
  ignore: !onUnix,
  fn: () =>
    withTinyData(async (folder) => {
      const recipe = join(folder, "tiny.yaml");
      await Deno.writeTextFile(recipe, tinyRecipe.replace("epochs: 5", "epochs: 60"));
      await tinyRun(folder, { overrides: ["train.epochs=60"], output: "whole" });
      for (const signals of [["SIGHUP", "SIGHUP"], ["SIGTERM", "SIGTERM", "SIGHUP"]] as const) {
        const run = join(folder, signals[0]);
        const args = [recipe, "--backend", "cpu", "--out", run, "--verbose"];
        const { code, signal, stderr } = await signalled(args, /step +5\//, signals);
        assert.deepEqual([code, signal], [130, null], stderr);
        assert.match(stderr, /\nStopped after step \d+ of \d+; --resume continues from ".*state\.safetensors"\n$/);
        assert.ok((await Deno.stat(join(run, CHECKPOINT_FILE))).isFile);
        const resumed = await runHere("train", [...args, "--resume", "--quiet"]);
        assert.deepEqual([resumed.code, resumed.stderr], [0, ""]);
        assert.deepEqual(await studentBytes(folder, signals[0]), await studentBytes(folder, "whole"));
      }
    }),
});

Deno.test({
  name: "a signal while the student is still being decomposed stops the run, which leaves no folder",
  ignore: !onUnix,
  fn: () =>
    withTinyData(async (folder) => {
      const recipe = join(folder, "tiny.yaml");
      // Some seconds of decomposition, in many matrices.
      await Deno.writeTextFile(recipe, tinyRecipe.replace("depth: 8", "depth: 56").replace("width: 4", "width: 48"));
      const run = join(folder, "run");
      const args = [recipe, "--backend", "cpu", "--out", run];
      const { code, stderr } = await signalled(args, /Backend/, ["SIGTERM"], async () => {
        // It listens before it makes the folder.
        while (!await Deno.stat(run).then(() => true, () => false)) await new Promise((wake) => setTimeout(wake, 5));
      });
      assert.match(
        stderr,
        /\nStopped before training began: nothing was written, and the same command begins again\n$/,
      );
      assert.equal(code, 130);
      await assert.rejects(Deno.stat(run), Deno.errors.NotFound);
    }),
});

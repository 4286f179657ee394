import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { StoppedEarly } from "../../../core/distill/stops.ts";
import { kindOfPath } from "../../../core/files.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { outcomeIn } from "../../../tasks/experiment/run_folder.ts";
import { BEST_RUN, finishBest } from "../../../tasks/tune/best_run.ts";
import type { Configuration } from "../../../tasks/tune/space.ts";
import { TrialRunner } from "../../../tasks/tune/trial_runner.ts";
import { configured, readTuned } from "../../../tasks/tune/tuned_recipe.ts";
import { putTuningAside, testedIn } from "../../../tasks/tune/write_tuning.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";
import { rateSpace } from "./rate_space.ts";

const never = new AbortController().signal;

Deno.test("stopped before it is tested, another best is never answered with the test of the one before", () =>
  withTinyData(async (folder) => {
    const file = join(folder, "tiny.yaml");
    await Deno.writeTextFile(file, tinyRecipe.replace("epochs: 5", "epochs: 1"));
    await using closing = new AsyncDisposableStack();
    const backend = closing.adopt(await CpuBackend.create(), (backend) => backend.close());
    const tuned = await readTuned(file, []);
    const recipe = (configuration: Configuration, seed: number, output: string) =>
      configured(tuned, rateSpace, configuration, seed, output);
    const reporter = { progress: () => {}, warning: () => {}, line: () => {} };
    const options = { backend, builtins, reporter, signal: never, clock: () => 0, used: 0 };
    const runner = new TrialRunner({
      ...options,
      folder: join(folder, "runs"),
      recipe,
      expected: { opening: 1, epoch: 1 },
    });
    const finish = async (configuration: Configuration, signal = never) => {
      await runner.with(3).evaluate(configuration, 1);
      const trial = await runner.folderOf(configuration, 3);
      const best = { folder, configuration, seed: 3, trial, report: false, backend, builtins, signal };
      return await finishBest(tuned, rateSpace, best, reporter);
    };
    const [first, second] = [{ rate: 0.02 }, { rate: 0.6 }];
    const { run } = await finish(first);
    await assert.rejects(finish(second, AbortSignal.abort()), StoppedEarly);
    const best = recipe(second, 3, join(folder, BEST_RUN));
    await resolvePlugins(best, builtins);
    assert.equal(await outcomeIn(best), null);
    const next = await finish(second);
    assert.notEqual(next.run, run);
    assert.deepEqual(await outcomeIn(best), {
      folder: join(folder, BEST_RUN),
      seed: 3,
      summary: next,
      diagnostics: [],
    });
  }));

Deno.test("what a folder's test examples were looked at for is known, also when a result is put aside", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const write = (name: string, value: unknown) => Deno.writeTextFile(join(folder, name), JSON.stringify(value));
    assert.deepEqual(await testedIn(folder), []);
    await putTuningAside(folder);
    // As an older version wrote it.
    await write("tune.json", { test: { run: "a" } });
    await write("tune.md", "");
    await write("report.html", "");
    assert.deepEqual(await testedIn(folder), ["a"]);
    await putTuningAside(folder);
    for (const name of ["tune.json", "tune.md", "report.html"]) {
      assert.equal(await kindOfPath(join(folder, name)), null);
    }
    assert.deepEqual(await testedIn(folder), ["a"]);
    await write("tune.json", { test: { run: "b" }, tested: ["a", "b"] });
    assert.deepEqual(await testedIn(folder), ["a", "b"]);
    // Stopped after the test of another.
    await Deno.mkdir(join(folder, BEST_RUN));
    await write(join(BEST_RUN, "metrics.json"), { run: "c" });
    assert.deepEqual(await testedIn(folder), ["a", "b", "c"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

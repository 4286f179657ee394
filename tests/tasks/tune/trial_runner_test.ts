import assert from "node:assert/strict";
import { join, relative } from "node:path";
import "../../../core/deno/install.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { kindOfPath } from "../../../core/files.ts";
import { lockFolder } from "../../../core/lock.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { TrialRunner, type TrialRunnerOptions } from "../../../tasks/tune/trial_runner.ts";
import type { Evaluated } from "../../../tasks/tune/search.ts";
import type { Configuration } from "../../../tasks/tune/space.ts";
import { configured, readTuned } from "../../../tasks/tune/tuned_recipe.ts";
import { stopAt, studentBytes } from "../../support/run_observers.ts";
import { tinyRun } from "../../support/tiny_run.ts";
import { rateSpace } from "./rate_space.ts";
import { never, readJson, short, withTiny } from "./tiny.ts";

/** Seconds that pass with each look at the clock. */
function clockOf(tick: number): () => number {
  let now = 0;
  return () => now += tick;
}

/** A runner of the tiny recipe in the folder "runs". */
async function runnerIn(
  folder: string,
  file: string,
  backend: CpuBackend,
  more: Partial<TrialRunnerOptions> = {},
  set: Parameters<typeof readTuned>[1] = [],
) {
  const tuned = await readTuned(file, set);
  return new TrialRunner({
    folder: join(folder, "runs"),
    recipe: (configuration, seed, output, resource) =>
      configured(tuned, rateSpace, configuration, seed, output, resource),
    backend,
    builtins,
    reporter: { progress: () => {}, warning: () => {} },
    signal: never,
    clock: clockOf(1),
    expected: { opening: 1, epoch: 1 },
    used: 0,
    ...more,
  });
}

/** What is evaluated of a trial, trained over each of some parts of its length. */
async function through(runner: TrialRunner, configuration: Configuration, parts: readonly number[] = [1 / 3, 1]) {
  const told: Evaluated[] = [];
  for (const part of parts) told.push(await runner.with(3).evaluate(configuration, part));
  return told;
}

Deno.test("a trial is a complete training, of a part of its length or all: what distill makes of it, bit for bit", () =>
  withTiny(async (folder, file, backend) => {
    const steps: number[] = [];
    const reporter = { progress: ({ step }: { step: number }) => void steps.push(step), warning: () => {} };
    const runner = await runnerIn(folder, file, backend, { reporter });
    const told = await through(runner, { rate: 0.04 });
    assert.equal(runner.metric, "accuracy");
    assert.deepEqual(steps, [1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(runner.used, 2, "a second for each");
    const own = await runner.folderOf({ rate: 0.04 }, 3);
    const { score, resource } = await readJson(join(own, "trial.json"));
    assert.deepEqual([{ score }, resource], [told[1], 1]);
    assert.equal(await kindOfPath(join(own, "metrics.json")), null, "nothing was measured on test examples");

    const run = { text: short, overrides: ["train.optimiser.learningRate=0.04"], backend };
    const { student } = await tinyRun(folder, { ...run, output: "whole" });
    assert.deepEqual(told[1], { score: student.validationAccuracy });
    const brief = { ...run, overrides: [...run.overrides, "train.epochs=1"] };
    assert.deepEqual(told[0], {
      score: (await tinyRun(folder, { ...brief, output: "brief" })).student.validationAccuracy,
    });
    await tinyRun(folder, { ...run, output: relative(folder, own), resume: true });
    assert.deepEqual(await studentBytes(own, "."), await studentBytes(folder, "whole"));

    // One that was stopped between its end and the record of it is not trained again.
    const record = join(own, "trial.json");
    const before = await Deno.readTextFile(record);
    await Deno.remove(record);
    assert.deepEqual(await through(await runnerIn(folder, file, backend, { reporter }), { rate: 0.04 }, [1]), [
      told[1],
    ]);
    assert.equal(steps.length, 12);
    await Deno.writeTextFile(record, before);

    // A second search is answered from the folder, where it could not even open a run, and is charged the same.
    const again = await runnerIn(folder, file, backend, { builtins: { ...builtins, model: [] } });
    assert.deepEqual([await through(again, { rate: 0.04 }), again.used], [told, runner.used]);
  }));

Deno.test("a trial leaves a checkpoint of its end, whatever the recipe asks for on the way", () =>
  withTiny(async (folder, file, backend) => {
    const none = { path: ["train", "checkpointEvery"], value: null, label: "test" };
    const runner = await runnerIn(folder, file, backend, {}, [none]);
    const told = await through(runner, { rate: 0.04 }, [1]);
    const own = await runner.folderOf({ rate: 0.04 }, 3);
    const steps: number[] = [];
    const { student } = await tinyRun(folder, {
      text: short,
      overrides: ["train.optimiser.learningRate=0.04", "train.checkpointEvery=null"],
      backend,
      output: relative(folder, own),
      resume: true,
      reporter: { line: () => {}, warning: () => {}, progress: ({ step }) => void steps.push(step) },
    });
    assert.deepEqual([told, steps], [[{ score: student.validationAccuracy }], []]);
  }));

Deno.test("a machine's failure ends a search and keeps nothing; what it has no room for loses the trial", () =>
  withTiny(async (folder, file, backend) => {
    const runner = await runnerIn(folder, file, backend);
    const own = await runner.folderOf({ rate: 0.04 }, 3);
    await Deno.mkdir(own, { recursive: true });
    const lock = await lockFolder(own, "another run writes to it");
    await assert.rejects(through(runner, { rate: 0.04 }, [1]), { name: "UserError", message: /another run/ });
    lock[Symbol.dispose]();
    assert.ok("score" in (await through(runner, { rate: 0.04 }, [1]))[0]);

    Object.defineProperty(backend, "mostNumbers", { value: 2000 });
    const [lost] = await through(await runnerIn(folder, file, backend), { rate: 0.06 }, [1]);
    assert.match((lost as { lost: string }).lost, /MiB, and a tensor on ".*" at most/);
    await assert.rejects(through(await runnerIn(folder, file, backend), {}, [1]), { name: "UserError" });
  }));

Deno.test("a stopped trial goes on to the same score; one whose loss is not finite is lost, and not tried again", () =>
  withTiny(async (folder, file, backend) => {
    const stopped = await runnerIn(folder, file, backend, { signal: stopAt(8) });
    await assert.rejects(through(stopped, {}), Interrupted);
    const steps: number[] = [];
    const reporter = { progress: ({ step }: { step: number }) => void steps.push(step), warning: () => {} };
    const going = await runnerIn(folder, file, backend, { reporter });
    const told = await through(going, {});
    assert.deepEqual([stopped.used, going.used], [2, 3], "what was stopped is charged, too");
    assert.ok(steps[0] > 1, "it goes on from where it was stopped");
    const { student } = await tinyRun(folder, { text: short, output: "whole", backend });
    assert.deepEqual(told[1], { score: student.validationAccuracy });

    const decay = { path: ["train", "optimiser", "weightDecay"], value: 100, label: "test" };
    const lost = await through(await runnerIn(folder, file, backend, {}, [decay]), { rate: 900 }, [1]);
    assert.match((lost[0] as { lost: string }).lost, /not finite/);
    const again = await runnerIn(folder, file, backend, { builtins: { ...builtins, model: [] } }, [decay]);
    assert.deepEqual(await through(again, { rate: 900 }, [1]), lost);
    // What the recipe itself has wrong is told.
    await assert.rejects(through(again, {}), { name: "UserError" });
  }));

Deno.test("a trial stopped after its best epoch has the score of the student whose weights come back, as a whole one", () =>
  withTiny(async (folder, file, backend) => {
    // No epoch is better by enough than the first that counts; one whose masks are still to change does not.
    for (const [prune, stop] of [[null, 4], [{ amount: 0.99, over: 0.6 }, 7]] as const) {
      const settings = {
        "train.restoreBest": true,
        "train.monitor": "validation.loss",
        "train.earlyStopping": { patience: 9, minDelta: 100 },
        ...prune && { "student.prune": prune },
      };
      const set = Object.entries(settings).map(([key, value]) => ({ path: key.split("."), value, label: "test" }));
      const scores = async (runs: string, ...signals: AbortSignal[]) => {
        const more = { folder: join(folder, runs) };
        for (const signal of signals) {
          const stopped = await runnerIn(folder, file, backend, { ...more, signal }, set);
          await assert.rejects(through(stopped, {}, [1]), Interrupted);
        }
        return await through(await runnerIn(folder, file, backend, more, set), {}, [1]);
      };
      const [whole, resumed] = [await scores(`whole ${stop}`), await scores(`stopped ${stop}`, stopAt(stop))];
      assert.ok("score" in whole[0]);
      assert.deepEqual(resumed, whole, `stopped after step ${stop}`);
    }
  }));

Deno.test("that trials go on by another device is told, once", () =>
  withTiny(async (folder, file, _) => {
    const warnings: string[] = [];
    const reporter = { progress: () => {}, warning: (text: string) => void warnings.push(text) };
    for (const threads of [1, 2]) {
      const backend = await CpuBackend.create({ threads });
      for (const rate of [0.04, 0.05]) {
        const stopped = await runnerIn(folder, file, backend, { signal: stopAt(4) });
        if (threads === 1) await assert.rejects(through(stopped, { rate }, [1]), Interrupted);
      }
      const going = await runnerIn(folder, file, backend, { reporter });
      for (const rate of threads === 1 ? [] : [0.04, 0.05]) await through(going, { rate }, [1]);
      await backend.close();
    }
    assert.equal(warnings.length, 1, warnings.join("\n"));
    assert.match(warnings[0], /^the run was computed by ".+" up to step 4 and goes on by ".+"/);
  }));

Deno.test("time is kept for runs that take longer than those before them", () =>
  withTiny(async (folder, file, backend) => {
    // Each looks at the clock twice.
    const looks = [0, 2, 2, 4, 4, 9, 9, 11];
    const runner = await runnerIn(folder, file, backend, { clock: () => looks.shift()! });
    const used = async (configuration: Configuration) => {
      await through(runner, configuration, [1 / 3]);
      return [runner.used, runner.with(3).used()];
    };
    assert.deepEqual(await used({ rate: 0.01 }), [2, 2], "what the probe said is no measure of it");
    assert.deepEqual(await used({ rate: 0.02 }), [4, 4]);
    assert.deepEqual(await used({ rate: 0.03 }), [9, 12], "5 s where the others took 2");
    assert.deepEqual(await used({ rate: 0.04 }), [11, 14]);
  }));

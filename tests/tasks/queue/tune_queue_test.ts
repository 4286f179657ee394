import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { tune } from "../../../tasks/tune/run_tuning.ts";
import { SentTrials, type TrialExecutor } from "../../../tasks/tune/sent_trials.ts";
import { readSpace } from "../../../tasks/tune/space_file.ts";
import type { RecipeOf } from "../../../tasks/tune/trial_record.ts";
import { TrialRunner } from "../../../tasks/tune/trial_runner.ts";
import { configured, readTuned } from "../../../tasks/tune/tuned_recipe.ts";
import { fakeOutput } from "../../support/fake_output.ts";
import { RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { studentBytes } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { executor, listener, tinyRow, worker, workplace } from "./rig.ts";

const REDIS = { ignore: WITHOUT_REDIS, sanitizeOps: false, sanitizeResources: false };

const short = tinyRecipe.replace("epochs: 5, batchSize: 16", "epochs: 3, batchSize: 24").replace("cores: 3", "cores: 1")
  .replace("name: tiny", "name: tiny\nbackend: cpu");
const SPACE = "levers:\n  rate: { key: train.optimiser.learningRate, from: 0.02, to: 0.2 }\n";

/** Runs `body` where there are the tiny data and recipe, a queue, and a backend. */
const withQueue = (
  body: (setting: { folder: string; file: string; server: RedisServer; backend: CpuBackend }) => Promise<void>,
) =>
  withTinyData(async (folder) => {
    await using server = await RedisServer.start();
    const file = join(folder, "tiny.yaml");
    await Deno.writeTextFile(file, short);
    await Deno.writeTextFile(join(folder, "space.yaml"), SPACE);
    const backend = await CpuBackend.create();
    await body({ folder, file, server, backend }).finally(() => backend.close());
  });

Deno.test(
  "trials at several workers come to what one process makes, bit for bit",
  REDIS,
  () =>
    withQueue(async ({ folder, file, server, backend }) => {
      const tuned = await readTuned(file, []);
      const base = { written: tuned.written, value: tuned.row.recipe([]).value };
      const space = readSpace(SPACE, "space.yaml", base);
      const recipe: RecipeOf = (configuration, seed, output, resource) =>
        configured(tuned, space, configuration, seed, output, resource);
      const common = {
        recipe,
        clock: () => 0,
        expected: { opening: 1, epoch: 1 },
        used: 0,
      };
      const signal = new AbortController().signal;
      const local = { folder: join(folder, "here"), backend, builtins, reporter: listener().reporter, signal };
      const alone = new TrialRunner({ ...common, ...local });
      const queue = await executor(server, folder);
      const opened = () =>
        SentTrials.open(
          { ...common, folder: join(folder, "sent"), executor: queue.executor, warn: () => {} },
        );
      const sent = await opened();
      const evaluated = async (name: string, resource: number, rate = 0.04) => {
        const stop = new AbortController();
        const lines = listener();
        const place = workplace(folder, name, { reporter: lines.reporter });
        const working = worker(server, place, { untilEmpty: false, signal: stop.signal });
        const result = await sent.with(3).evaluate({ rate }, resource);
        stop.abort();
        assert.equal(await working, 1);
        return { result, lines: lines.lines };
      };
      const here = alone.with(3);
      assert.deepEqual((await evaluated("a", 1 / 3)).result, await here.evaluate({ rate: 0.04 }, 1 / 3));
      const rest = await evaluated("b", 1);
      assert.deepEqual(rest.result, await here.evaluate({ rate: 0.04 }, 1));
      assert.equal(sent.metric, "accuracy");

      // The best one's student is made here from the checkpoint that the workers left.
      const [fetched, own] = [await sent.folderOf({ rate: 0.04 }, 3), await alone.folderOf({ rate: 0.04 }, 3)];
      for (const output of [fetched, own]) {
        const overrides = ["train.optimiser.learningRate=0.04"];
        await tinyRun(folder, { text: short, overrides, output: relative(folder, output), backend, resume: true });
      }
      assert.deepEqual(await studentBytes(fetched, "."), await studentBytes(own, "."));

      // What is known costs nothing, and nobody is asked: no worker is there now.
      const again = (await opened()).with(3);
      assert.equal(again.seconds({ rate: 0.04 }, 1), 0);
      assert.deepEqual(await again.evaluate({ rate: 0.04 }, 1), rest.result);
      await queue.executor[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "a trial that is given up says whether the recipe is wrong",
  REDIS,
  () =>
    withQueue(async ({ folder, server }) => {
      const queue = await executor(server, folder);
      const full = new Error("the store is full");
      class FullStore extends FolderStore {
        override write = () => Promise.reject(full);
      }
      const place = workplace(folder, "w", { store: new FullStore(join(folder, "store")) });
      const stop = new AbortController();
      const working = worker(server, place, { untilEmpty: false, signal: stop.signal });
      const output = { path: ["output"], value: join(folder, "out"), label: "test" };
      const trial = (name: string, set: readonly string[]) =>
        queue.executor.trial({ recipe: tinyRow(folder, name, set).recipe([output]), title: name }, true);
      const wrong = await trial("wrong", ["losses=[{ use: kd }]"]);
      const told = 'given up: --set losses=[{ use: kd }]: Cannot use the loss "kd" without a teacher';
      assert.deepEqual(wrong, { told, ofRecipe: true });
      assert.deepEqual(await trial("right", []), { told: `given up after 3 tries: ${full.message}`, ofRecipe: false });
      stop.abort();
      await working;
      await queue.executor[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "tune has two workers train its trials, at once, and ends with a best run of its own",
  REDIS,
  () =>
    withQueue(async ({ folder, file, server, backend }) => {
      const out = fakeOutput();
      const queue = await executor(server, folder);
      const stop = new AbortController();
      const places = ["a", "b"].map((name) => workplace(folder, name));
      const workers = places.map((place) => worker(server, place, { untilEmpty: false, signal: stop.signal }));
      while (await queue.executor.workers() < places.length) await new Promise((resolve) => setTimeout(resolve, 20));
      let [now, tick, most, underWay] = [0, 0.02, 0, 0];
      const own = queue.executor;
      const counting: TrialExecutor & AsyncDisposable = {
        async trial(...args) {
          most = Math.max(most, ++underWay);
          return await own.trial(...args).finally(() => underWay--);
        },
        fetchTrial: (...args) => own.fetchTrial(...args),
        workers: () => own.workers(),
        // It is used again.
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
      const run = async (resume: boolean, budget: number) =>
        await tune(await readTuned(file, []), {
          folder: join(folder, "out"),
          clock: () => now += tick,
          started: 0,
          budget,
          verdict: 0.4,
          search: "asha",
          space: join(folder, "space.yaml"),
          resume,
          report: false,
          quiet: false,
          backend,
          builtins,
          signal: new AbortController().signal,
          out,
          warnings: out,
          tell(line) {
            if (line.startsWith("A run of the recipe takes")) tick = 0.15;
          },
          sent: () => Promise.resolve(counting),
        });
      await run(false, 20);
      stop.abort();
      const done = await Promise.all(workers);
      assert.equal(most, 2);
      assert.ok(done.every((count) => count > 0), `${done}`);
      assert.match(out.text, /\nBest of "tiny" /);
      const read = async () => JSON.parse(await Deno.readTextFile(join(folder, "out", "tune.json")));
      const first = await read();
      assert.ok(first.seconds.used <= 20, `${first.seconds.used}`);
      assert.ok(first.test.student.accuracy > 0);

      // What is known costs no time, though that is gone. Nobody is there to do more: it would wait for ever.
      assert.ok(first.seconds.used > 5, `${first.seconds.used}`);
      [now, tick] = [0, 0.02];
      await run(true, 3);
      const { best, decided, test } = await read();
      assert.deepEqual([best, decided, test], [first.best, first.decided, first.test]);
      await own[Symbol.asyncDispose]();
    }),
);

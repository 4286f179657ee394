import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../core/errors.ts";
import { lockFolder } from "../../../core/lock.ts";
import { runGrid } from "../../../tasks/experiment/run_grid.ts";
import { RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { runHere } from "../../support/run_here.ts";
import { runTask } from "../../support/task.ts";
import { tinyRecipe, withTinyData } from "../../support/tiny_run.ts";
import { tablesOf } from "../../../tasks/experiment/tables.ts";
import { endingOf, RunsGivenUp } from "../../../tasks/support/errors.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { queueAddress } from "../../../tasks/queue/address.ts";
import { workerFlags } from "../../../tasks/queue/flags.ts";
import { QUEUE_NAME, TRIES } from "../../../tasks/queue/job.ts";
import {
  executor,
  listener,
  locally,
  openQueue,
  QueueExecutor,
  tinyExperiment,
  tinyRow,
  worker,
  workplace,
} from "./rig.ts";

const REDIS = { ignore: WITHOUT_REDIS, sanitizeOps: false, sanitizeResources: false };

const until = async (isSo: () => boolean | Promise<boolean>) => {
  const end = performance.now() + 20_000;
  while (!await isSo()) {
    assert.ok(performance.now() < end, `it does not come about: ${isSo}`);
    await soon(20);
  }
};

/** Fires once something has ended, however. */
function stopAfter(what: Promise<unknown>): AbortSignal {
  const stop = new AbortController();
  void what.catch(() => {}).then(() => stop.abort());
  return stop.signal;
}

/** The exit code by which a program ends. */
const endingOfThrown = (error: unknown) => endingOf(error, false).code;

const soon = (milliseconds = 300) => new Promise((resolve) => setTimeout(resolve, milliseconds));

Deno.test(
  "a run that fails always is given up after three tries and shown, and the others go on",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      // A file that this machine has as long as it sends, and no worker has.
      const away = join(folder, "away-images");
      await Deno.copyFile(join(folder, "train-images"), away);
      const rows = [tinyRow(folder, "good"), tinyRow(folder, "poisoned", [`dataset.train.images=${away}`])];
      const experiment = { ...tinyExperiment(folder), rows, baseline: "good", seeds: [1], tune: null };
      const { executor: sent, warnings, lines } = await executor(server, folder);
      const grid = runGrid(experiment, join(folder, "out"), sent);
      await soon();
      await Deno.remove(away);
      assert.equal(await worker(server, workplace(folder, "a")), 1);
      const [good, poisoned] = await grid;
      assert.ok("summary" in good.runs[0]);
      const reason =
        `Cannot do the run here as its recipe names "${away}" absolutely, and this machine has no such file: ` +
        "name it relative to the recipe, so that it is sent along";
      const told = `given up after 3 tries: ${reason}`;
      assert.deepEqual(poisoned.runs.map((run) => "failure" in run && run.failure), [told]);
      assert.deepEqual(sent.givenUp, [{ told: `poisoned, seed 1: ${told}`, ofRecipe: false }]);
      assert.deepEqual(warnings, [`poisoned, seed 1: ${told}`]);
      assert.equal(
        lines.filter((line) => line.includes("failed at a, and is tried again")).length,
        2,
        lines.join("\n"),
      );
      await sent[Symbol.asyncDispose]();

      // It was the machine's fault, not the training's: the next grid tries it again.
      await Deno.copyFile(join(folder, "train-images"), away);
      const { executor: again } = await executor(server, folder);
      const second = runGrid(experiment, join(folder, "out"), again);
      await soon();
      assert.equal(await worker(server, workplace(folder, "a")), 1);
      assert.ok((await second).every(({ runs }) => "summary" in runs[0]));
      await again[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "a recipe's own mistake is given up at once, in the words of a local run, and the others go on",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const wrong = {
        missing: ["dataset.train.images=not-there"],
        swapped: ["dataset.train.images=train-labels"],
        unknown: ["student.overParameterise=[{ layers: 'no*', cores: 3 }]"],
        alone: ["losses=[{ use: kd }]"],
      };
      const rows = [tinyRow(folder, "good"), ...Object.entries(wrong).map(([name, set]) => tinyRow(folder, name, set))];
      const experiment = { ...tinyExperiment(folder), rows, baseline: "good", seeds: [1], tune: null };
      const { executor: sent, warnings, lines } = await executor(server, folder);
      const grid = runGrid(experiment, join(folder, "out"), sent);
      const { warnings: tried, reporter } = listener();
      const place = workplace(folder, "a", { reporter });
      assert.equal(await worker(server, place, { untilEmpty: false, signal: stopAfter(grid) }), 1);
      assert.equal(tried.length, Object.keys(wrong).length, tried.join("\n"));
      const [good, ...others] = await grid;
      assert.ok("summary" in good.runs[0]);
      for (const [index, { name, runs: [run] }] of others.entries()) {
        const alone = { ...experiment, rows: [rows[1 + index]], baseline: name };
        const local: Error = await locally(alone, join(folder, "alone")).then(() => assert.fail(), (error) => error);
        assert.equal(local.name, "UserError");
        assert.deepEqual(run, {
          folder: join(folder, "out", name, "seed-1"),
          seed: 1,
          failure: `given up: ${local.message}`,
          givenUp: true,
        });
        assert.ok(warnings.includes(`${name}, seed 1: given up: ${local.message}`));
      }
      assert.deepEqual(lines.filter((line) => line.includes("is tried again")), []);
      assert.deepEqual(sent.givenUp.map(({ ofRecipe }) => ofRecipe), [true, true, true, true]);
      const [{ notes }] = tablesOf(experiment, await grid);
      assert.deepEqual(
        notes.filter((note) => note.startsWith("Of ")),
        Object.keys(wrong).map((name) => `Of "${name}" 1 was given up.`),
      );
      assert.deepEqual(endingOf(new RunsGivenUp(sent.givenUp.slice(0, 1)), false), {
        message: `Given up, as their recipes are to be mended:\n  ${sent.givenUp[0].told}`,
        code: 2,
      });
      const both = new RunsGivenUp([...sent.givenUp.slice(0, 1), { told: "b: given up", ofRecipe: false }]);
      assert.equal(endingOf(both, false).code, 1);
      await sent[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "experiments after one with a run that is given up are done all the same",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
      await write("tiny.yaml", tinyRecipe);
      for (const [name, losses] of [["a", "[{ use: kd }]"], ["b", "[{ use: cross-entropy }]"]]) {
        await write(`${name}.yaml`, `base: tiny.yaml\nseeds: [1]\nrows: { own: { losses: ${losses} } }\n`);
      }
      await write("series.yaml", "experiments: [a.yaml, b.yaml]\n");
      const out = join(folder, "out");
      const compared = runHere("compare", [
        ...[join(folder, "series.yaml"), "--backend", "cpu", "--output", out],
        ...["--queue", server.url, "--store", join(folder, "store")],
        ...["--set", "train.epochs=1", "--set", "student.overParameterise=[]"],
      ]);
      await worker(server, workplace(folder, "a"), { untilEmpty: false, signal: stopAfter(compared) });
      const { code, stderr } = await compared;
      const { lines } = JSON.parse(await Deno.readTextFile(join(out, "b", "results.json")));
      assert.equal(lines[0].failed, 0);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^Given up, as their recipes are to be mended:\n {2}a: own, seed 1: given up: /m);
    }),
);

Deno.test(
  "a full store costs a worker its try, and the run is done when there is room",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const experiment = {
        ...tinyExperiment(folder),
        rows: [tinyRow(folder, "a")],
        baseline: "a",
        seeds: [1],
        tune: null,
      };
      const { executor: sent, lines } = await executor(server, folder);
      const grid = runGrid(experiment, join(folder, "out"), sent);
      await soon();
      let room = false;
      class FullStore extends FolderStore {
        override write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
          if (room) return super.write(key, bytes);
          room = true;
          throw new UserError("Cannot write to the store as the disk is full");
        }
      }
      const place = workplace(folder, "w", { store: new FullStore(join(folder, "store")), keepEvery: 60_000 });
      assert.equal(await worker(server, place), 1);
      assert.ok("summary" in (await grid)[0].runs[0]);
      assert.deepEqual(lines.filter((line) => line.includes("failed")), [
        "a, seed 1: failed at w, and is tried again: Cannot write to the store as the disk is full",
      ]);
      await sent[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "a run that another worker with the same folder still does is given back, without a try of it, until that one ends",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const { executor: sent, lines } = await executor(server, folder);
      const output = { path: ["output"], value: join(folder, "out"), label: "test" };
      const run = sent.run(tinyRow(folder, "a").recipe([output]), "a");
      const runs = join(folder, "store", "runs");
      await until(() => Deno.stat(runs).then(() => true, () => false));
      const [id] = await Array.fromAsync(Deno.readDir(runs), ({ name }) => name);
      const place = workplace(folder, "w");
      const work = join(place.folder, "work", id);
      await Deno.mkdir(work, { recursive: true });
      const lock = await lockFolder(work, "another worker does the run there");
      const { lines: told, reporter } = listener();
      const working = worker(server, { ...place, reporter }, { lease: 300 });
      // More often than a run that fails is tried.
      await until(() => told.length > TRIES);
      lock[Symbol.dispose]();
      assert.equal(await working, 1);
      assert.match(told[0], /^a: tried again later: Cannot write to ".*" as another worker does the run there/);
      assert.ok("summary" in await run);
      assert.deepEqual(lines.filter((line) => /failed|refused/.test(line)), []);
      await sent[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "what a server loses is put into the queue again, and a lost connection is told of",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const experiment = { ...tinyExperiment(folder), rows: [tinyRow(folder, "a")], baseline: "a", tune: null };
      const { executor: sent, warnings } = await executor(server, folder);
      const grid = runGrid(experiment, join(folder, "out"), sent);
      await soon();
      await server.end("SIGKILL");
      await soon();
      await server.go();
      await until(() => warnings.length === 2);
      await Deno.remove(server.appended, { recursive: true });
      await server.end("SIGKILL");
      await server.go(); // with nothing in it
      const stop = new AbortController();
      const working = worker(server, workplace(folder, "w"), { untilEmpty: false, signal: stop.signal });
      assert.equal((await grid)[0].runs.length, 2);
      stop.abort();
      assert.equal(await working, 2);
      const lost = `lost the connection to the queue ${server.url}: trying again`;
      const back = `connected to the queue ${server.url} again`;
      assert.deepEqual(warnings, [lost, back, lost, back]);
      await sent[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "Ctrl-C ends a program also while it puts a run into a queue that is lost, or asks who works there",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const stop = new AbortController();
      const { executor: sent, warnings } = await executor(server, folder, { signal: stop.signal });
      await server.end("SIGKILL");
      await until(() => warnings.length > 0);
      const output = { path: ["output"], value: join(folder, "out"), label: "test" };
      const planned = { recipe: tinyRow(folder, "a").recipe([output]), title: "a" };
      const choice = { title: "a choice", values: [{ value: 1, trials: [planned], runs: [] }] };
      const asked = [
        sent.run(planned.recipe, "a"),
        sent.trial(planned, false),
        sent.foresee!(choice),
        sent.workers(),
      ];
      const ended = Promise.all(asked.map((one) => one.then(() => "done", endingOfThrown)));
      await soon();
      stop.abort();
      const late = new Promise((resolve) => setTimeout(() => resolve("late"), 5000));
      assert.deepEqual(await Promise.race([ended, late]), [130, 130, 130, 130]);
      assert.notEqual(await Promise.race([sent[Symbol.asyncDispose](), late]), "late");
    }),
);

Deno.test(
  "a worker that is stopped while its queue is lost keeps the checkpoint of its run in the store, and ends",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const sender = new AbortController();
      const { executor: sent } = await executor(server, folder, { signal: sender.signal });
      const output = { path: ["output"], value: join(folder, "out"), label: "test" };
      const run = sent.run(tinyRow(folder, "long", ["train.epochs=10000"]).recipe([output]), "long").catch(() => {});
      const [stop, { warnings, reporter }] = [new AbortController(), listener()];
      let step = 0;
      const place = workplace(folder, "a", { reporter: { ...reporter, progress: (line) => void (step = line.step) } });
      const working = worker(server, place, { untilEmpty: false, signal: stop.signal });
      await until(() => step > 0);
      await server.end("SIGKILL");
      await until(() => warnings.length > 0);
      stop.abort();
      const late = new Promise((resolve) => setTimeout(() => resolve("late"), 8000));
      assert.equal(await Promise.race([working, late]), 0);
      const [id] = await Array.fromAsync(Deno.readDir(join(folder, "store", "runs")), ({ name }) => name);
      const kept = JSON.parse(await Deno.readTextFile(join(folder, "store", "runs", id, "state.json")));
      assert.equal(kept.by, "a");
      sender.abort();
      await run;
      await sent[Symbol.asyncDispose]();
    }),
);

Deno.test(
  "that no worker is at the queue is told once for a while, and not where one is busy",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      await using queue = await openQueue(server);
      const stop = new AbortController();
      const { executor: sent, warnings } = await executor(server, folder, { signal: stop.signal, patience: [50, 1e6] });
      const output = { path: ["output"], value: join(folder, "out"), label: "test" };
      const run = sent.run(tinyRow(folder, "a").recipe([output]), "a").catch((error) => error.name);
      const told = `no worker is at the queue: start one by "deno task worker --queue ${server.url} --store ` +
        `${join(folder, "store")}"`;
      await until(() => warnings.length === 1);
      assert.deepEqual(warnings, [told]);
      // One that has lost its connection, and is too busy to notice.
      const { Worker } = await import("bullmq");
      const { connection, prefix } = queue.opts;
      const busy = new Worker(QUEUE_NAME, null, { connection, prefix, lockDuration: 1500 });
      assert.equal((await busy.getNextJob("token"))!.name, "run");
      await busy.close();
      await until(async () => await queue.getWorkersCount() === 0);
      await soon(300);
      assert.deepEqual(warnings, [told]);
      // Its lock ends with it.
      await until(() => warnings.length === 2);
      await soon(200);
      assert.deepEqual(warnings, [told, told]);
      stop.abort();
      assert.equal(await run, "StoppedEarly");
      await sent[Symbol.asyncDispose]();
    }),
);

Deno.test("the advice to start a worker names the flags that it needs", () => {
  const flags = { queue: "redis://h:1", store: "a place", queuePasswordFile: "secret" };
  assert.equal(workerFlags(flags), "--queue redis://h:1 --queue-password-file secret --store 'a place'");
  assert.equal(workerFlags({ queue: "rediss://h" }), "--queue rediss://h");
});

Deno.test(
  "a worker of another version refuses a run with both versions, and leaves it to others",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      await using queue = await openQueue(server);
      await queue.add("run", { version: "0.0.1", title: "old" }, { jobId: "run-1" });
      await assert.rejects(worker(server, workplace(folder, "a")), {
        name: "UserError",
        message:
          `Cannot work on the queue ${server.url} as the run is for version 0.0.1 of the program, and this worker ` +
          `has ${(await import("../../../core/version.ts")).VERSION} (run "old")`,
      });
      assert.deepEqual(await queue.getJobCounts("waiting", "active", "failed"), { waiting: 1, active: 0, failed: 0 });
    }),
);

Deno.test(
  "a worker with another store leaves runs and choices to others, and says so",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      await using queue = await openQueue(server);
      const { VERSION } = await import("../../../core/version.ts");
      for (const [name, what] of [["run", "run"], ["choose", "choice"]]) {
        await queue.add(name, { version: VERSION, title: "sent elsewhere" }, { jobId: `${name}-1`, attempts: 3 });
        await assert.rejects(worker(server, workplace(folder, "a")), {
          name: "UserError",
          message: new RegExp(
            `^Cannot work on the queue .* as the store ".*" does not have the ${what}: name with --store the one that `,
          ),
        });
        const { waiting, failed } = await queue.getJobCounts("waiting", "failed");
        assert.deepEqual([waiting, failed], [1, 0]);
        await queue.remove(`${name}-1`);
      }
    }),
);

Deno.test(
  "a worker runs plug-ins only where it was told to, by their hash",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      await Deno.writeTextFile(
        join(folder, "own.ts"),
        `import "./more.ts";
         export default { kind: "loss", name: "own", description: "Small logits", options: ({ z }) => z.strictObject({}),
         create: () => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.mean(ops.square(student.logits)) }) };`,
      );
      await Deno.writeTextFile(join(folder, "more.ts"), "export {};\n");
      const rows = [tinyRow(folder, "a", ["losses=[{ use: cross-entropy }, { use: ./own.ts, weight: 0.1 }]"])];
      const experiment = { ...tinyExperiment(folder), rows, baseline: "a", seeds: [1], tune: null };
      const { executor: sent, lines } = await executor(server, folder);
      const grid = runGrid(experiment, join(folder, "out"), sent);
      await soon();
      const refused = await worker(server, workplace(folder, "w")).catch((error: Error) => error.message);
      const [, hash] = /--allow-plugins=([0-9a-f]{64},[0-9a-f]{64}) for this content alone/.exec(`${refused}`) ?? [];
      assert.ok(hash, `${refused}`);
      assert.match(
        `${refused}`,
        /as it runs the plug-in "own\.ts" \(SHA-256 [0-9a-f]{64}\): start the worker with --allow/,
      );
      const [own, more] = hash.split(",");
      const other = own.replace(/^./, (digit) => digit === "0" ? "1" : "0");
      for (const [code, strange] of [[[other, more], "own"], [[own], "more"]] as const) {
        await assert.rejects(
          worker(server, workplace(folder, "w", { code: new Set(code) })),
          new RegExp(`it runs the plug-in "${strange}\\.ts"`),
        );
      }
      assert.equal(await worker(server, workplace(folder, "w", { code: new Set([own, more]) })), 1);
      assert.ok("summary" in (await grid)[0].runs[0]);
      assert.ok(lines.some((line) => line.startsWith("a, seed 1: refused by w, as it runs the plug-in")));
      await sent[Symbol.asyncDispose]();
    }),
);

Deno.test("a server that is not there, and a password that is missing or wrong, end in a sentence", REDIS, async () => {
  await using server = await RedisServer.start("--requirepass", "swordfish");
  const folder = await Deno.makeTempDir();
  const address = queueAddress(server.url);
  const { reporter } = listener();
  const open = (port: number, password: string | null) =>
    QueueExecutor.open({
      ...{} as Parameters<typeof QueueExecutor.open>[0],
      reporter,
      address: { ...address, port },
      password,
    });
  const refused = (attempt: Promise<unknown>, message: RegExp) =>
    assert.rejects(attempt, { name: "UserError", message });
  // A test may not read it.
  await refused(
    open(server.port, null),
    /as it wants a password, and this program was started without leave to read the variable OPDF_QUEUE_PASSWORD: deno task .* worker .* have it, or name a file by --queue-password-file$/,
  );
  const { code, stderr } = await runTask("worker", ["--queue", server.url, "--folder", folder, "--store", folder]);
  assert.equal(code, 2);
  assert.match(stderr, /as the server does not take this program's password: Authentication required/);
  await refused(open(server.port, "sword"), /as the server does not take this program's password: invalid username/);
  await server.end();
  await refused(
    open(server.port, null),
    /^Cannot use the queue redis:\/\/127\.0\.0\.1:\d+\/0 as nothing answers there: /,
  );
  await Deno.remove(folder, { recursive: true });
});

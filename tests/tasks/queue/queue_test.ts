import assert from "node:assert/strict";
import { join } from "node:path";
import { finished, type Outcome } from "../../../tasks/experiment/outcome.ts";
import { runGrid } from "../../../tasks/experiment/run_grid.ts";
import { tablesOf, textOf } from "../../../tasks/experiment/tables.ts";
import { RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { executor, locally, tinyExperiment, tinyRow, worker, workplace } from "./rig.ts";

const REDIS = { ignore: WITHOUT_REDIS, sanitizeOps: false, sanitizeResources: false };

/** A table's cells that do not say how long something took. */
function table(experiment: Parameters<typeof tablesOf>[0], results: Parameters<typeof tablesOf>[1]) {
  const [{ header, rows }, ...rest] = tablesOf(experiment, results);
  const kept = header.flatMap((title, index) => /seconds|epoch|peak/.test(title) ? [] : [index]);
  return [rows.map((row) => kept.map((index) => row[index])), rest.map((one) => textOf(one))];
}

const student = (outcome: Outcome) => Deno.readFile(join(outcome.folder, "student", "model.safetensors"));

Deno.test(
  "two workers make of a tuned grid the table that one process makes, and a second grid does nothing again",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const experiment = tinyExperiment(folder);
      const alone = await locally(experiment, join(folder, "alone"));
      const places = ["a", "b"].map((name) => workplace(folder, name));
      const first = await executor(server, folder);
      const stop = new AbortController();
      const workers = places.map((place) => worker(server, place, { untilEmpty: false, signal: stop.signal }));
      const sent = await runGrid(experiment, join(folder, "sent"), first.executor);
      assert.deepEqual(first.warnings, []);
      assert.deepEqual(table(experiment, sent), table(experiment, alone));
      for (const [index, { runs }] of sent.entries()) {
        for (const [place, run] of runs.entries()) {
          assert.deepEqual(await student(run), await student(alone[index].runs[place]));
        }
      }
      assert.equal(first.lines.length, 6, first.lines.join("\n"));

      // Where the first put its runs they are known, and elsewhere the store has them.
      for (const [output, words] of [["sent", "(was done)"], ["other", "(was done, by the store)"]]) {
        const again = await executor(server, folder);
        assert.deepEqual(
          table(experiment, await runGrid(experiment, join(folder, output), again.executor)),
          table(experiment, alone),
        );
        assert.ok(
          again.lines.every((line) => line.endsWith(words)),
          again.lines.join("\n"),
        );
        await again.executor[Symbol.asyncDispose]();
      }
      // And so they are to a process that does its runs itself.
      await locally(experiment, join(folder, "sent"));
      await first.executor[Symbol.asyncDispose]();
      stop.abort();
      const done = await Promise.all(workers);
      assert.equal(done[0] + done[1], 6);
      assert.ok(done.every((count) => count > 0), `${done}`);
    }),
);

Deno.test("two grids at once share their runs", REDIS, () =>
  withTinyData(async (folder) => {
    await using server = await RedisServer.start();
    const rows = [tinyRow(folder, "a"), tinyRow(folder, "b", ["train.batchSize=24"])];
    const experiment = { ...tinyExperiment(folder), rows, baseline: "a", tune: null };
    const both = [await executor(server, folder), await executor(server, folder)];
    const grids = both.map(({ executor }, index) => runGrid(experiment, join(folder, `out-${index}`), executor));
    const stop = new AbortController();
    const untilStopped = { untilEmpty: false, signal: stop.signal };
    const workers = Promise.all(["x", "y"].map((name) => worker(server, workplace(folder, name), untilStopped)));
    const [one, two] = await Promise.race([Promise.all(grids), workers.then(() => assert.fail("the workers ended"))]);
    stop.abort();
    const done = await workers;
    assert.equal(done[0] + done[1], 4);
    assert.deepEqual(table(experiment, one), table(experiment, two));
    assert.equal(finished(one.flatMap(({ runs }) => runs)).length, 4);
    for (const { executor } of both) await executor[Symbol.asyncDispose]();
  }));

Deno.test(
  "a choice waits for a run of its tuning that was given up before, and is tried again",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      // A file that this machine has as long as it sends, and no worker has at first.
      const away = join(folder, "away-images");
      const put = () => Deno.copyFile(join(folder, "train-images"), away);
      const rows = [tinyRow(folder, "a", [`dataset.train.images=${away}`])];
      const experiment = { ...tinyExperiment(folder), rows, baseline: "a" };
      /** Sends the grid and ends, as by Ctrl-C, when that is in the queue. */
      const send = async () => {
        await put();
        const stop = new AbortController();
        const { executor: sent } = await executor(server, folder, { signal: stop.signal });
        setTimeout(() => stop.abort(), 500);
        await assert.rejects(runGrid(experiment, join(folder, "out"), sent), { name: "StoppedEarly" });
        await sent[Symbol.asyncDispose]();
      };
      await send();
      await Deno.remove(away);
      assert.equal(await worker(server, workplace(folder, "w")), 0);
      await send();
      // Two of the tuning, and the second seed of the better value.
      assert.equal(await worker(server, workplace(folder, "w")), 3);
    }),
);

Deno.test(
  "what follows from a tuning is done also when the terminal that began it has ended",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const experiment = { ...tinyExperiment(folder), rows: [tinyRow(folder, "a")], baseline: "a" };
      const stop = new AbortController();
      const first = await executor(server, folder, { signal: stop.signal });
      const grid = runGrid(experiment, join(folder, "out"), first.executor);
      setTimeout(() => stop.abort(), 500);
      await assert.rejects(grid, {
        name: "StoppedEarly",
        message: "Stopped: 2 runs stay in the queue for its workers, and the same command goes on",
      });
      await first.executor[Symbol.asyncDispose]();
      // Two of the tuning, and the second seed of the better value.
      assert.equal(await worker(server, workplace(folder, "w")), 3);
      const again = await executor(server, folder);
      const [{ runs, tuned }] = await runGrid(experiment, join(folder, "out"), again.executor);
      assert.deepEqual([runs.length, tuned!.trials.map(({ failed }) => failed)], [2, [0, 0]]);
      assert.ok(again.lines.every((line) => line.endsWith("(was done, by the store)")), again.lines.join("\n"));
      await again.executor[Symbol.asyncDispose]();
    }),
);

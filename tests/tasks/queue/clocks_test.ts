import assert from "node:assert/strict";
import { join } from "node:path";
import { runGrid } from "../../../tasks/experiment/run_grid.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { withWrongClock } from "../../support/wrong_clock.ts";
import { executor, locally, openQueue, tinyExperiment, tinyRow, worker, workplace } from "./rig.ts";

/** When this program began, by its own clock. */
const begin = Date.now() - performance.now();

Deno.test(
  "workers whose clocks are hours from each other's do each run once, and take over what a dead one had",
  { ignore: WITHOUT_REDIS, sanitizeOps: false, sanitizeResources: false },
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      await using queue = await openQueue(server);
      const rows = [tinyRow(folder, "a")];
      const experiment = { ...tinyExperiment(folder), rows, baseline: "a", seeds: [1, 2, 3, 4], tune: null };
      const alone = await locally(experiment, join(folder, "alone"));

      // One with a clock of its own takes a run, and is never heard of again.
      const { executor: sent, lines } = await executor(server, folder);
      const grid = runGrid(experiment, join(folder, "out"), sent);
      while (await queue.getWaitingCount() < 4) await new Promise((resolve) => setTimeout(resolve, 20));
      const { Worker } = await import("bullmq");
      const { QUEUE_NAME, queueOptions } = await import("../../../tasks/queue/job.ts");
      const { Redis } = await import("ioredis");
      const connection = new Redis(server.port, "127.0.0.1", { maxRetriesPerRequest: null });
      const dead = new Worker(QUEUE_NAME, null, { ...queueOptions(connection), lockDuration: 600 });
      const taken = await withWrongClock(30, () => dead.getNextJob("dead"));
      // What the queue has of it is of that clock.
      assert.ok(taken!.processedOn! > Date.now() + 29 * 3_600_000);
      await dead.close(true);
      connection.disconnect();

      const hoursFromHere = new Set<number>();
      class WatchedStore extends FolderStore {
        override write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
          hoursFromHere.add(Math.round((Date.now() - performance.now() - begin) / 3_600_000));
          return super.write(key, bytes);
        }
      }
      const store = new WatchedStore(join(folder, "store"));
      const stop = new AbortController();
      const how = { untilEmpty: false, signal: stop.signal };
      const workers = [5, -26].map((hours) =>
        withWrongClock(hours, () => worker(server, workplace(folder, `at ${hours}`, { store }), how))
      );
      const working = Promise.all(workers);
      const [{ runs }] = await grid;
      stop.abort();
      const done = await working;
      assert.deepEqual([
        done[0] + done[1],
        done.every((count) => count > 0),
      ], [4, true]);
      assert.deepEqual([...hoursFromHere].sort(), [-26, 5]);
      assert.deepEqual(lines.filter((line) => line.includes("silent")), [
        `${taken!.data.title}: its worker is silent: another one goes on with it`,
      ]);
      for (const [index, { folder: mine }] of runs.entries()) {
        const [one, other] = [mine, alone[0].runs[index].folder].map((path) =>
          join(path, "student", "model.safetensors")
        );
        assert.deepEqual(await Deno.readFile(one), await Deno.readFile(other));
      }
      await sent[Symbol.asyncDispose]();
    }),
);

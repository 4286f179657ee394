import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { UserError } from "../../core/errors.ts";
import { FolderStore } from "../../tasks/queue/folder_store.ts";
import { runGrid } from "../../tasks/experiment/run_grid.ts";
import { RedisServer, WITHOUT_REDIS } from "../support/redis.ts";
import { CAN_MOUNT, type SmallDisk, withSmallDisk } from "../support/small_disk.ts";
import { writeTinyData } from "../support/tiny_run.ts";
import { executor, listener, locally, tinyExperiment, tinyRow, worker, workplace } from "../tasks/queue/rig.ts";
import type { Campaign, Ending } from "./campaign.ts";

const SEEDS = [1, 2, 3];

/** Bytes of the store's disk: room for all. */
const ROOM = 2 ** 24;

/** Milliseconds after which it is left alone. */
const HURT_FOR = 3000;

/** How often the same command is given before runs count as lost: a run may be given up, or not be sent. */
const MOST_TIMES = 6;

/** What a try comes to on a disk that is full. */
const FULL = / as the disk is full: free some space, or name a path on another disk$/;

/** What is wrong with the other recipe. */
const WRONG = /: Cannot read the images "\S+" as there is no such file or folder$/;

const counts = { full: 0, tries: 0, given: 0, again: 0, runs: 0, lost: 0, doubled: 0 };

let right: Promise<readonly string[]> | null = null;

/**
 * Two terminals send the same grid at once to a store whose disk is full again and again, and one of its runs is of a
 * wrong recipe: that one is given up, and the others are the right ones.
 */
export const fullStore: Campaign = {
  name: "full store",
  quick: 1,
  missing: () => WITHOUT_REDIS ? "redis-server is not installed" : CAN_MOUNT ? null : "it may not mount a file system",
  told: () =>
    `full ${counts.full} times, which cost ${counts.tries} tries; ${counts.given} runs were given up, the same command went on ${counts.again} times; of ` +
    `${counts.runs} runs ${counts.lost} are lost and ${counts.doubled} doubled`,
  async trial(seed): Promise<Ending> {
    const random = new Random(seed).split("full store");
    const folder = await Deno.makeTempDir();
    try {
      await writeTinyData(folder);
      const good = { ...tinyExperiment(folder), rows: [tinyRow(folder, "good")], baseline: "good", tune: null };
      right ??= locally({ ...good, seeds: SEEDS }, join(folder, "alone")).then(([{ runs }]) => students(runs));
      await right;
      await using server = await RedisServer.start();
      return await withSmallDisk(ROOM, async (disk): Promise<Ending> => {
        const store = new FolderStore(disk.folder);
        const poisoned = tinyRow(folder, "poisoned", ["dataset.test.images=away"]);
        const experiment = { ...good, rows: [...good.rows, poisoned], seeds: SEEDS };
        const stop = new AbortController();
        const hurting = hurt(disk, random, stop.signal);
        const { warnings, reporter } = listener();
        const working = ["a", "b"].map((name) =>
          worker(server, workplace(folder, name, { store, reporter }), { untilEmpty: false, signal: stop.signal })
        );
        const grids = ["one", "two"].map((name) => grid(join(folder, name)));
        const done = await Promise.race([
          Promise.all(grids),
          Promise.all(working).then(() => assert.fail("the workers ended")),
        ]).finally(async () => {
          stop.abort();
          await Promise.allSettled([hurting, ...working, ...grids]);
        });
        for (const found of done) assert.deepEqual(found, await right, "a student is another than without harm");
        counts.tries += warnings.filter((warning) => FULL.test(warning)).length;
        for (const warning of warnings) {
          const known = FULL.test(warning) || FULL.test(warning.replace(/; the run begins anew$/, "")) ||
            warning.startsWith("poisoned") && WRONG.test(warning);
          assert.ok(known, `a worker says: ${warning}`);
        }
        const runs = await Array.fromAsync(Deno.readDir(join(disk.folder, "runs")));
        assert.equal(runs.length, 2 * SEEDS.length, "there are as many runs as asked for");
        return "fine";

        /** Gives the same command until all is done. */
        async function grid(output: string): Promise<readonly string[]> {
          for (let times = 1; times <= MOST_TIMES && !stop.signal.aborted; times++, counts.again++) {
            if (times > 2) await hurting;
            const { executor: sent } = await executor(server, folder, { store });
            try {
              const [{ runs }, wrong] = await runGrid(experiment, output, sent);
              const failures = runs.flatMap((run) => "failure" in run ? [run.failure] : []);
              counts.given += failures.length;
              for (const failure of failures) {
                assert.match(failure, /^given up after 3 tries: /);
                assert.match(failure, FULL);
              }
              if (failures.length > 0) continue;
              const told = wrong.runs.map((run) => "failure" in run ? run.failure : "it is done");
              if (told.some((failure) => FULL.test(failure))) continue;
              for (const failure of told) {
                assert.match(failure, /^given up: /);
                assert.match(failure, WRONG);
              }
              counts.runs += SEEDS.length;
              counts.doubled += runs.length - new Set(runs.map(({ seed }) => seed)).size;
              return await students(runs);
            } catch (error) {
              if (!(error instanceof UserError)) throw error;
              assert.match(error.message, FULL);
            } finally {
              await sent[Symbol.asyncDispose]();
            }
          }
          counts.lost++;
          throw new Error("the grid is not done, however often the command is given");
        }
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** Fills a disk again and again for a while. */
async function hurt({ folder, usage }: SmallDisk, random: Random, signal: AbortSignal): Promise<void> {
  const filler = join(folder, ".filler");
  const soon = (most: number) => new Promise((wake) => setTimeout(wake, random.below(most)));
  for (const end = performance.now() + HURT_FOR; performance.now() < end && !signal.aborted;) {
    await soon(600);
    await Deno.writeFile(filler, new Uint8Array(usage().free)).catch(() => {});
    counts.full++;
    await soon(1500);
    await Deno.remove(filler).catch(() => {});
  }
}

/** SHA-256 of each run's student. */
function students(runs: readonly { readonly folder: string }[]): Promise<string[]> {
  return Promise.all(runs.map(async ({ folder }) => {
    const bytes = await Deno.readFile(join(folder, "student", "model.safetensors"));
    return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].join();
  }));
}

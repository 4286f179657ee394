import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import type { Outcome } from "../../tasks/experiment/outcome.ts";
import { runGrid } from "../../tasks/experiment/run_grid.ts";
import type { Store } from "../../tasks/queue/store.ts";
import { storeAt } from "../support/bucket.ts";
import { FlakyProxy } from "../support/flaky_proxy.ts";
import { MemoryBucket } from "../support/memory_bucket.ts";
import { RedisServer, WITHOUT_REDIS } from "../support/redis.ts";
import { writeTinyData } from "../support/tiny_run.ts";
import { executor, locally, tinyExperiment, tinyRow, worker, workplace } from "../tasks/queue/rig.ts";
import type { Campaign, Ending } from "./campaign.ts";

const SEEDS = [1, 2, 3];

/** Cuts of a trial; more of them and no run comes to its end. */
const MOST_CUTS = 8;

/** Milliseconds after which a trial hangs. The machine may be busy with other work. */
const HANGS = 120_000;

/** Milliseconds: of a store that is asked by a program which has no time to lose. */
const TIMES = { patience: 20_000, firstPatience: 20_000, silence: 1000 };

const counts = { cuts: 0, silences: 0, runs: 0, lost: 0, doubled: 0 };

/** The students where nothing is cut. */
let right: Promise<readonly Uint8Array[]> | null = null;

/**
 * A grid on a queue with a store in a bucket, whose connections are cut at the worst moments: while an outcome is sent,
 * between its end and the news of it, in the middle of the news, and at any other time.
 */
export const cutConnections: Campaign = {
  name: "cut connections",
  quick: 1,
  alone: true,
  missing: () => WITHOUT_REDIS ? "redis-server is not installed" : null,
  told: () =>
    `${counts.cuts} cuts and ${counts.silences} silences; of ${counts.runs} runs ${counts.lost} are lost and ` +
    `${counts.doubled} doubled`,
  async trial(seed): Promise<Ending> {
    const random = new Random(seed).split("cut connections");
    const folder = await Deno.makeTempDir();
    try {
      await writeTinyData(folder);
      const experiment = {
        ...tinyExperiment(folder),
        rows: [tinyRow(folder, "a")],
        baseline: "a",
        seeds: SEEDS,
        tune: null,
      };
      right ??= locally(experiment, join(folder, "alone")).then(([{ runs }]) => students(runs));
      await right;
      await using server = await RedisServer.start();
      await using bucket = new MemoryBucket();
      await using toQueue = new FlakyProxy(server.port);
      await using toStore = new FlakyProxy(bucket.port);
      const queue = { url: `redis://127.0.0.1:${toQueue.port}/0` };
      const cutting = new Cutting(random, toQueue, toStore);
      const store = () => cutting.around(storeAt({ port: toStore.port, times: TIMES }));
      const stop = new AbortController();
      const workers = ["x", "y"].map((name) =>
        worker(queue, workplace(folder, name, { store: store() }), {
          untilEmpty: false,
          signal: stop.signal,
          lease: 1000,
        })
      );
      const grid = async () => {
        const sent = await executor(queue, folder, { store: store() });
        try {
          return await runGrid(experiment, join(folder, "out"), sent.executor);
        } finally {
          await sent.executor[Symbol.asyncDispose]();
        }
      };
      const ended = cutting.atAnyTime();
      const timer = setTimeout(() => stop.abort(new Error("it hangs")), HANGS);
      const hangs = new Promise<never>((_, reject) =>
        stop.signal.addEventListener("abort", () => reject(new Error("it hangs")))
      );
      hangs.catch(() => {});
      try {
        const ending = Promise.all(workers).then(() => assert.fail("the workers ended"));
        const results = await Promise.race([grid(), hangs, ending]);
        const [{ runs }] = results;
        assert.deepEqual(runs.flatMap((run) => "failure" in run ? [run.failure] : []), []);
        assert.deepEqual(await students(runs), await right, "a student is another than without harm");
        counts.runs += SEEDS.length;
        const seeds = runs.map(({ seed }) => seed);
        counts.lost += SEEDS.filter((seed) => !seeds.includes(seed)).length;
        counts.doubled += seeds.length - new Set(seeds).size;
        assert.deepEqual(seeds, SEEDS);
        const outcomes = [...bucket.objects.keys()].filter((key) => key.endsWith("/outcome.json"));
        assert.equal(outcomes.length, SEEDS.length, "there are as many outcomes as runs");
      } finally {
        clearTimeout(timer);
        await ended();
        stop.abort();
        await Promise.allSettled(workers);
      }
      counts.cuts += toQueue.cuts + toStore.cuts;
      return "fine";
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** Cuts connections where a store is written to, and at any time. */
class Cutting {
  #left = MOST_CUTS;

  constructor(
    private readonly random: Random,
    private readonly toQueue: FlakyProxy,
    private readonly toStore: FlakyProxy,
  ) {}

  /** A store that is written to at bad moments. */
  around(store: Store): Store {
    return {
      name: store.name,
      has: (key) => store.has(key),
      read: (key) => store.read(key),
      remove: (key) => store.remove(key),
      write: async (key, bytes) => {
        const isOutcome = key.endsWith("/outcome.json");
        if (this.#may(isOutcome ? 2 : 4)) {
          // The runtime asks once more by itself where a connection ends; a server that is gone it tells of.
          if (this.random.below(2) === 0) this.toStore.goAway(this.random.below(800));
          else this.toStore.cut(this.random.below(bytes.length + 600));
        }
        await store.write(key, bytes);
        // The run is done, and nobody knows.
        if (isOutcome && this.#may(2)) this.toQueue.cut(this.random.below(2) * this.random.below(2000));
      },
    };
  }

  /** Begins to cut at random. Gives what ends it. */
  atAnyTime(): () => Promise<void> {
    let over = false;
    const cutting = (async () => {
      while (!over && this.#left > 0) {
        await new Promise((resolve) => setTimeout(resolve, 50 + this.random.below(400)));
        const proxy = [this.toQueue, this.toStore][this.random.below(2)];
        if (!this.#may(2)) continue;
        if (this.random.below(3) > 0) proxy.cut(this.random.below(2) * this.random.below(3000));
        else {
          counts.silences++;
          proxy.fallSilent();
          await new Promise((resolve) => setTimeout(resolve, this.random.below(1500)));
          proxy.speak();
        }
      }
    })();
    return async () => {
      over = true;
      await cutting;
    };
  }

  /** Whether to cut, once in so many times. */
  #may(times: number): boolean {
    if (this.#left === 0 || this.random.below(times) > 0) return false;
    this.#left--;
    return true;
  }
}

function students(runs: readonly Outcome[]): Promise<Uint8Array[]> {
  return Promise.all(runs.map(({ folder }) => Deno.readFile(join(folder, "student", "model.safetensors"))));
}

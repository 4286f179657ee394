/**
 * Measures what queue and store take, beside the runs themselves:
 *
 *     deno run --allow-all tests/tasks/queue/load.ts 2500 5000 10000
 *
 * For each number of runs: seconds, what Redis keeps, and the most memory of the terminal that sends them (a process of
 * its own), with a worker that does nothing; then by how much a tiny run is longer by queue and store than alone.
 */
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { FolderStore } from "../../../tasks/queue/folder_store.ts";
import { keptOutcome } from "../../../tasks/queue/kept_files.ts";
import { Sender } from "../../../tasks/queue/sender.ts";
import { runGrid } from "../../../tasks/experiment/run_grid.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { RedisServer } from "../../support/redis.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { executor, listener, locally, openQueue, tinyExperiment, tinyRow, worker, workplace } from "./rig.ts";

/** A store in which each run is done as soon as it is looked at: its outcome is that of the first. */
class DoneStore extends FolderStore {
  constructor(folder: string, private readonly outcome: Uint8Array<ArrayBuffer>) {
    super(folder);
  }

  override async read(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!key.endsWith("/outcome.json")) return await super.read(key);
    await this.write(key, this.outcome);
    return this.outcome;
  }
}

/** Does one run, and gives what the store has of its outcome, without the student. */
async function firstOutcome(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const store = new FolderStore(join(folder, "store"));
  const sender = new Sender({ store, builtins, reporter: listener().reporter, begin: () => Promise.resolve() });
  const output = { path: ["output"], value: join(folder, "first"), label: "test" };
  const id = await sender.send(tinyRow(folder, "a", ["train.maxSteps=1"]).recipe([output]), "first");
  await doRun(workplace(folder, "first-worker"), String(id), new AbortController().signal);
  const { by, files } = (await keptOutcome(store, String(id)))!;
  const kept = Object.entries(files).filter(([path]) => ["recipe.yaml", "metrics.json"].includes(path));
  return new TextEncoder().encode(JSON.stringify({ by, files: Object.fromEntries(kept) }));
}

/** Sends so many runs and waits for all. Prints the most memory that this process had, in KiB. */
async function terminal(folder: string, port: string, count: number): Promise<void> {
  const { executor: sent } = await executor({ url: `redis://127.0.0.1:${port}/0` } as RedisServer, folder);
  const seeds = Array.from({ length: count }, (_, index) => 10 + index);
  const experiment = { ...tinyExperiment(folder), rows: [tinyRow(folder, "a")], baseline: "a", tune: null, seeds };
  const begin = performance.now();
  const [{ runs }] = await runGrid(experiment, join(folder, "out"), sent);
  const seconds = (performance.now() - begin) / 1000;
  if (runs.some((run) => "failure" in run)) throw new Error("a run failed");
  await sent[Symbol.asyncDispose]();
  const [, most] = /^VmHWM:\s+(\d+)/m.exec(await Deno.readTextFile("/proc/self/status"))!;
  console.log(JSON.stringify({ seconds, most: Number(most), busy: busySeconds() }));
}

/** Seconds that this process computed so far: those of a clock depend on what else the machine does. */
function busySeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function measure(count: number): Promise<void> {
  await withTinyData(async (folder) => {
    await using server = await RedisServer.start();
    const store = new DoneStore(join(folder, "store"), await firstOutcome(folder));
    await using queue = await openQueue(server);
    const { Redis } = await import("ioredis");
    const redis = new Redis(server.port, "127.0.0.1");
    const memory = async (key: string) =>
      Number(new RegExp(`^${key}:(\\d+)`, "m").exec(await redis.info("memory"))![1]);
    const before = await memory("used_memory");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", fileURLToPath(import.meta.url), folder, `${server.port}`, `${count}`],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const output = child.output();
    // All are sent before the first is taken: the most that Redis ever has.
    let waiting = 0;
    while (waiting < count) {
      waiting = await queue.getWaitingCount();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const kept = await memory("used_memory") - before;
    const [begin, idle] = [performance.now(), busySeconds()];
    const stop = new AbortController();
    const working = worker(server, workplace(folder, "w", { store }), { untilEmpty: false, signal: stop.signal });
    const { seconds, most, busy } = JSON.parse(new TextDecoder().decode((await output).stdout));
    const done = (performance.now() - begin) / 1000;
    const worked = busySeconds() - idle;
    stop.abort();
    await working;
    redis.disconnect();
    console.log(
      `${count} runs: sent and fetched in ${seconds.toFixed(1)} s, of which worked off in ${done.toFixed(1)} s ` +
        `(${(count / done).toFixed(0)} a second); the terminal computed for ${busy.toFixed(1)} s, the worker for ` +
        `${worked.toFixed(1)} s; Redis ${(kept / count).toFixed(0)} bytes a run, ` +
        `${(kept / 2 ** 20).toFixed(1)} MiB; the terminal at most ${(most / 2 ** 10).toFixed(0)} MiB`,
    );
  });
}

/** What a tiny run takes by queue and store, and alone. */
async function overhead(count: number): Promise<void> {
  await withTinyData(async (folder) => {
    await using server = await RedisServer.start();
    const seeds = Array.from({ length: count }, (_, index) => index);
    const rows = [tinyRow(folder, "a")];
    const experiment = { ...tinyExperiment(folder), rows, baseline: "a", tune: null, seeds };
    const timed = async (body: () => Promise<unknown>) => {
      const begin = performance.now();
      await body();
      return (performance.now() - begin) / count;
    };
    const alone = await timed(() => locally(experiment, join(folder, "alone")));
    const stop = new AbortController();
    const { executor: sent } = await executor(server, folder);
    const working = worker(server, workplace(folder, "w"), { untilEmpty: false, signal: stop.signal });
    const queued = await timed(() => runGrid(experiment, join(folder, "sent"), sent));
    stop.abort();
    await working;
    await sent[Symbol.asyncDispose]();
    console.log(
      `A tiny run alone ${alone.toFixed(0)} ms, by queue and store ${queued.toFixed(0)} ms: ` +
        `${(queued - alone).toFixed(0)} ms more`,
    );
  });
}

const [first, port, count] = Deno.args;
if (count !== undefined && !/^\d+$/.test(first)) {
  await terminal(first, port, Number(count));
} else {
  for (const count of Deno.args) await measure(Number(count));
  await overhead(20);
}

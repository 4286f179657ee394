import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { RedisServer, WITHOUT_REDIS } from "../support/redis.ts";
import { tinyRecipe, tinyRun, writeTinyData } from "../support/tiny_run.ts";
import type { Campaign, Ending } from "./campaign.ts";
import { type Death, ended, kill, start } from "./process.ts";

const SEEDS = [1, 2];

const EPOCHS = 3;

/** Flags of a short grid. */
const GRID = ["--seeds", SEEDS.join(), "--set", `train.epochs=${EPOCHS}`, "--backend", "cpu", "--quiet"];

/** A silence of so many seconds, and a run is another's. */
const LEASE = ["--lease", "1", "--keep-every", "0.1"];

const counts = { workers: 0, servers: 0, terminals: 0, runs: 0, lost: 0, doubled: 0 };

/** What the runs come to where nobody hurts them. */
let right: Promise<readonly string[]> | null = null;

/** A grid on a queue, whose workers, server and terminal are killed and started again: the table is the right one. */
export const killedWorkers: Campaign = {
  name: "killed workers",
  quick: 1,
  missing: () => WITHOUT_REDIS ? "redis-server is not installed" : null,
  told: () =>
    `${counts.workers} workers, ${counts.servers} servers and ${counts.terminals} terminals were killed; of ` +
    `${counts.runs} runs ${counts.lost} are lost and ${counts.doubled} doubled`,
  async trial(seed): Promise<Ending> {
    const random = new Random(seed).split("killed workers");
    const folder = await Deno.makeTempDir();
    await using server = await RedisServer.start("--appendfsync", "always");
    const workers: Deno.ChildProcess[] = [];
    let over = false;
    try {
      await prepare(folder);
      await (right ??= alone());
      const flags = ["--queue", server.url, "--store", join(folder, "store")];
      const hire = () => {
        const args = [...flags, ...LEASE, "--folder", join(folder, `worker-${workers.length}`)];
        const worker = start({ verb: "worker", args });
        workers.push(worker);
        // One that found no server as it started is started again, as whoever runs it would.
        void worker.output().then(({ code }) => code === 2 && !over && hire());
      };
      const compare = () =>
        start({
          verb: "compare",
          args: [join(folder, "tiny.yaml"), ...GRID, "--output", join(folder, "out"), ...flags],
        });
      let terminal = compare();
      let ending = ended(terminal);
      [hire, hire].forEach((hire) => hire());
      for (let times = 1 + random.below(3); times > 0; times--) {
        await new Promise((resolve) => setTimeout(resolve, 500 + random.below(2500)));
        const victim = random.below(6);
        if (victim < 4) {
          counts.workers++;
          // One of four may end in good order.
          kill(workers.at(-1 - victim % 2)!, victim === 3 ? "SIGTERM" : "SIGKILL");
          hire();
        } else if (victim === 4) {
          counts.servers++;
          await server.end("SIGKILL");
          await server.go();
        } else {
          counts.terminals++;
          kill(terminal, "SIGKILL");
          await ending;
          terminal = compare();
          ending = ended(terminal);
        }
      }
      let death = await ending;
      for (let times = 0; times < 2 && isSaid(death); times++) death = await ended(compare());
      over = true;
      assert.equal(death.code, 0, death.stdout + death.stderr);
      assert.deepEqual(await students(join(folder, "out")), await right, "a student is another than without harm");
      const { results } = JSON.parse(await Deno.readTextFile(join(folder, "out", "results.json")));
      const seeds: number[] = results[0].runs.map(({ seed }: { seed: number }) => seed);
      counts.runs += SEEDS.length;
      counts.lost += SEEDS.filter((seed) => !seeds.includes(seed)).length;
      counts.doubled += seeds.length - new Set(seeds).size;
      assert.deepEqual(seeds, SEEDS);
      const kept = await Array.fromAsync(Deno.readDir(join(folder, "store", "runs")));
      assert.equal(kept.length, SEEDS.length, "there are as many runs as asked for");
      return "fine";
    } finally {
      over = true;
      for (const worker of workers) kill(worker, "SIGKILL");
      await Promise.all(workers.map(({ status }) => status));
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** What the same command mends: it found no server as it started, or three workers died with a run. */
function isSaid({ code, stderr }: Death): boolean {
  return code === 2 && /as nothing answers there|as the connection failed/.test(stderr) ||
    code === 1 && /^Given up, and tried again by the same command:$/m.test(stderr);
}

async function prepare(folder: string): Promise<void> {
  await writeTinyData(folder);
  await Deno.writeTextFile(join(folder, "tiny.yaml"), tinyRecipe);
}

/** SHA-256 of each seed's student. */
async function students(output: string): Promise<string[]> {
  const found: string[] = [];
  for (const seed of SEEDS) {
    const bytes = await Deno.readFile(join(output, "tiny", `seed-${seed}`, "student", "model.safetensors"));
    found.push([...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].join());
  }
  return found;
}

async function alone(): Promise<readonly string[]> {
  const folder = await Deno.makeTempDir();
  try {
    await prepare(folder);
    for (const seed of SEEDS) {
      const output = join("out", "tiny", `seed-${seed}`);
      await tinyRun(folder, { output, overrides: [`seed=${seed}`, `train.epochs=${EPOCHS}`] });
    }
    return await students(join(folder, "out"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

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
    const words: Promise<Death>[] = [];
    const harm = { workers: 0, servers: 0 };
    let over = false;
    try {
      await prepare(folder);
      await (right ??= alone());
      const flags = ["--queue", server.url, "--store", join(folder, "store")];
      const hire = () => {
        const args = [...flags, ...LEASE, "--folder", join(folder, `worker-${workers.length}`)];
        const worker = start({ verb: "worker", args });
        workers.push(worker);
        const word = ended(worker, Infinity);
        words.push(word);
        // One that found no server as it started is started again, as whoever runs it would.
        void word.then(({ code }) => code === 2 && !over && hire());
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
          counts.workers++, harm.workers++;
          // One of four may end in good order.
          kill(workers.at(-1 - victim % 2)!, victim === 3 ? "SIGTERM" : "SIGKILL");
          hire();
        } else if (victim === 4) {
          counts.servers++, harm.servers++;
          await server.end("SIGKILL");
          await server.go();
        } else {
          counts.terminals++;
          kill(terminal, "SIGKILL");
          expectKnown(await ending, harm);
          terminal = compare();
          ending = ended(terminal);
        }
      }
      let death = await ending;
      for (let times = 0; times < 2 && isMended(death, harm); times++) death = await ended(compare());
      over = true;
      expectKnown(death, harm);
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
      for (const worker of workers) kill(worker, "SIGTERM");
      for (const word of words) expectKnown(await word, harm);
      return "fine";
    } finally {
      over = true;
      for (const worker of workers) kill(worker, "SIGKILL");
      await Promise.all(workers.map(({ status }) => status));
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** What was done to a trial so far. */
interface Harm {
  readonly workers: number;
  readonly servers: number;
}

/** Sentences of a server that is not there. */
const NO_SERVER =
  /^Cannot use the queue \S+ as (?:nothing answers there|the server ended the connection|the connection failed|the server does not answer)/;

/** Why a run is given up that none of its workers came to the end of. */
const STALLED = "given up after 3 tries: job stalled more than allowable limit";

/** Sentences of whoever is hurt: nothing else is to be heard. */
const KNOWN = [
  /^lost the connection to the queue \S+: trying again$/,
  /^connected to the queue \S+ again$/,
  /^no connection to the queue \S+ yet, as /,
  /^no worker is at the queue: start one by "deno task worker --queue \S+ --store \S+"$/,
  /^ending with a checkpoint as soon as the current step is done; Ctrl-C again ends at once$/,
  /^Given up, and tried again by the same command:$/,
  RegExp(`^ *tiny, seed \\d: ${STALLED}$`),
  NO_SERVER,
];

/** The process was killed, or ended as it should, and said what was done to it and no more. */
function expectKnown({ code, signal, stderr }: Death, harm: Harm): void {
  for (const line of stderr.split("\n").filter((line) => line !== "")) {
    const words = line.replace(/^Warning: /, "");
    assert.ok(KNOWN.some((known) => known.test(words)), `it says: ${line}`);
  }
  const isRight = signal === "SIGKILL" || signal === "SIGTERM" || code === 0 || code === 130 ||
    code === 2 && harm.servers > 0;
  assert.ok(isRight, `it ended with ${code ?? signal}: ${stderr}`);
}

/** What the same command mends: it found no server as it started, or a run had no worker that lived long enough. */
function isMended({ code, stderr }: Death, { workers, servers }: Harm): boolean {
  const lines = stderr.trim().split("\n");
  if (code === 2) return servers > 0 && NO_SERVER.test(lines.at(-1)!);
  return code === 1 && workers + servers > 0 && lines.at(-1)!.endsWith(STALLED);
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

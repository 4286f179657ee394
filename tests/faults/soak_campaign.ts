import { Random } from "../../core/data/random.ts";
import { cpu, webgpu } from "../support/backends.ts";
import { tinyRecipe, tinyRun, writeTinyData } from "../support/tiny_run.ts";
import type { Campaign, Ending } from "./campaign.ts";

/** What a process holds. */
interface Level {
  /** Resident memory in MiB. */
  readonly memory: number;
  /** Open files and threads, where the system tells them; else 0. */
  readonly files: number;
  readonly threads: number;
}

/** Trials after which the levels count: until then code is compiled, drivers are loaded, caches fill. */
const WARM = 8;

/**
 * How far each may rise above what it was then. Memory comes back when the garbage collector thinks so, and a run's
 * backend holds some 20 MiB; a driver keeps threads and files for each device for a while.
 */
const SLACK: Level = { memory: 160, files: 12, threads: 12 };

const LOSSES = [
  "{ use: cross-entropy }",
  "{ use: kd }",
  "{ use: dkd }, { use: cross-entropy }",
  "{ use: contrastive }",
];

let trials = 0;
let level: Level | null = null;

/** Short runs one after another in one process, every fifth on webgpu: nothing of them stays. */
export const soak: Campaign = {
  name: "soak",
  quick: 6,
  alone: true,
  async trial(seed): Promise<Ending> {
    const random = new Random(seed).split("soak");
    const backend = await (seed % 5 === 4 && webgpu.available ? webgpu : cpu).open();
    const folder = await Deno.makeTempDir();
    try {
      await writeTinyData(folder, 32, 8);
      const loss = LOSSES[random.below(LOSSES.length)];
      const taught = loss.includes("kd") || loss.includes("contrastive");
      const text = tinyRecipe.replace("losses: [{ use: cross-entropy }]", `losses: [${loss}]`).replace(
        "student:",
        taught ? "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\nstudent:" : "student:",
      );
      const overrides = ["train.epochs=1", "validation.count=8", "student.overParameterise=[]"];
      await tinyRun(folder, { backend, overrides, output: "teacher" });
      await tinyRun(folder, { backend, overrides, text });
      // A run that is refused after much of it was built must leave nothing, too.
      await tinyRun(folder, { backend, overrides: [...overrides, "train.batchSize=100", "train.dropLast=true"] }).then(
        () => Promise.reject(new Error("a batch larger than the data was not refused")),
        ({ name, message }) => name === "UserError" || Promise.reject(new Error(message)),
      );
      const { storages, bytes } = backend.memory();
      if (storages > 0) throw new Error(`${storages} storages of ${bytes} bytes live after the runs (${loss})`);
    } finally {
      await backend.close();
      await Deno.remove(folder, { recursive: true });
    }
    trials++;
    const now = await levelNow();
    if (trials === WARM) level = now;
    for (const what of ["memory", "files", "threads"] as const) {
      if (level && now[what] > level[what] + SLACK[what]) {
        throw new Error(`${what} rose from ${level[what]} after ${WARM} trials to ${now[what]} after ${trials}`);
      }
    }
    return "fine";
  },
};

async function levelNow(): Promise<Level> {
  const count = async (folder: string) => {
    const listing = await new Deno.Command("ls", { args: [`/proc/${Deno.pid}/${folder}`] }).output().catch(() => null);
    return listing?.success ? new TextDecoder().decode(listing.stdout).trim().split("\n").length : 0;
  };
  return {
    memory: Math.round(Deno.memoryUsage().rss / 2 ** 20),
    files: await count("fd"),
    threads: await count("task"),
  };
}

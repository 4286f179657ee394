import type { Command } from "commander";
import { CACHE } from "../core/data/remote_file.ts";
import { UserError } from "../core/errors.ts";
import type { Workplace } from "./queue/do_run.ts";
import { addQueueFlags, type QueueFlags, STORE } from "./queue/flags.ts";
import { backendChoice } from "./support/backend.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { confined } from "./support/confine.ts";
import { addPluginFlag, addVerbose } from "./support/flags.ts";
import { stoppable } from "./support/interrupt.ts";
import { counted } from "./support/format.ts";
import { numberInRange, wholeNumber } from "./support/numbers.ts";
import { standardOutput } from "./support/output.ts";
import { runReporter } from "./support/progress.ts";

interface WorkerFlags extends QueueFlags {
  readonly folder: string;
  readonly job?: string;
  readonly dir?: string;
  readonly backend?: string;
  readonly allowPlugins?: string | boolean;
  readonly allowPluginUrl?: boolean;
  readonly lease: string;
  readonly keepEvery: string;
  readonly untilEmpty?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

const isTime = (seconds: number) => seconds >= 0.1 && seconds <= 86_400;

/** Adds the verb `worker`: does the runs that `compare`, `sweep` and `tune` put into a queue with `--queue`. */
export function addWorker(program: Command): void {
  const command = addQueueFlags(
    program.command("worker").description("do the runs that compare, sweep and tune put into a queue, on this machine"),
    "the queue: redis://host:port/database, or rediss:// with TLS",
  )
    .option("--folder <folder>", "what this machine keeps of inputs and runs", "runs/worker")
    .option("--backend <name>", "where to compute the runs whose recipes say auto: auto, webgpu or cpu")
    .option("--allow-plugins [hashes]", "run plug-ins that came along, or those of these SHA-256 alone")
    .option("--lease <seconds>", "after such a silence of a worker its run is another's", "30")
    .option("--keep-every <seconds>", "how often the checkpoint of a run is brought to the store, at most", "30")
    .option("--until-empty", "end when there is nothing to do")
    .option("--job <number>", "do this job of a folder that compare or sweep wrote by --jobs, counted from 1, and end")
    .option("--dir <folder>", "the folder of jobs")
    .option("--quiet", "print warnings alone");
  addVerbose(addPluginFlag(command), "keep every progress line, and show the stack of an internal error").action(
    worker,
  );
}

async function worker(flags: WorkerFlags): Promise<void> {
  const { queue, dir, job } = flags;
  const isJob = dir !== undefined || job !== undefined;
  if (isJob && (dir === undefined || job === undefined)) {
    throw new UserError("Missing --job or --dir: a job is named by both, its number and the folder of jobs");
  }
  if (isJob === (queue !== undefined)) {
    throw new UserError("Expected either --queue, with the address of a queue to work for, or --job and --dir");
  }
  const seconds = (flag: string, text: string) => 1000 * numberInRange(flag, text, "seconds from 0.1 to 86400", isTime);
  const [lease, keepEvery] = [seconds("--lease", flags.lease), seconds("--keep-every", flags.keepEvery)];
  const backend = flags.backend === undefined ? undefined : backendChoice(flags.backend);
  // What talks to queues and stores is loaded by those who do.
  const { networkOf, queueAddress, queuePassword } = await import("./queue/address.ts");
  const { storePlace } = await import("./queue/store.ts");
  const { allowedCode } = await import("./queue/refused.ts");
  const address = queue === undefined ? null : queueAddress(queue);
  const place = storePlace(dir ?? flags.store ?? STORE);
  const folder = dir ?? flags.folder;
  await confined(
    [folder, CACHE, ...place.writes],
    async () => {
      const [out, err] = [standardOutput("stdout"), standardOutput("stderr")];
      const reporter = runReporter(out, err, flags);
      // A store that is opened is written to.
      if (dir !== undefined) await (await import("./queue/jobs_folder.ts")).readJobs(dir);
      const workplace: Workplace = {
        store: await place.open(),
        folder,
        name: `${machine()}-${Deno.pid}`,
        backend,
        code: allowedCode(flags.allowPlugins),
        builtins: { ...allowedPlugins(flags), beforeFile: undefined },
        reporter,
        keepEvery,
      };
      const password = await queuePassword(flags.queuePasswordFile);
      const told = await stoppable(
        async (signal) => {
          if (address === null) return await doJob(workplace, dir!, wholeNumber("--job", job!), signal);
          const { work } = await (await import("./queue/load.ts")).queueParts();
          reporter.line(`${workplace.name} takes runs from ${address.shown} until Ctrl-C or SIGTERM`);
          const untilEmpty = flags.untilEmpty ?? false;
          return `${counted(await work(workplace, { address, password, lease, untilEmpty }, signal), "run")} done`;
        },
        () =>
          reporter.warning("ending with a checkpoint as soon as the current step is done; Ctrl-C again ends at once"),
      ).finally(reporter.end);
      reporter.line(told);
    },
    // Where no code of others is run: each run wants the permission, and their code must not have it.
    flags.allowPlugins === undefined && !flags.allowPluginUrl,
    [...address === null ? [] : [networkOf(address)], ...place.network],
  );
}

/** This machine's name, where the program may know it. */
function machine(): string {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname() : "worker";
}

/** Does one job of a folder, and says so. */
async function doJob(workplace: Workplace, dir: string, number: number, signal: AbortSignal): Promise<string> {
  const { doRun } = await import("./queue/do_run.ts");
  const { readJobs } = await import("./queue/jobs_folder.ts");
  const { jobs } = await readJobs(dir);
  const job = jobs.at(number - 1);
  if (!job) throw new UserError(`--job ${number}: Expected a number from 1 to ${jobs.length}, of the jobs in "${dir}"`);
  try {
    await doRun(workplace, job.id, signal);
  } catch (error) {
    throw error instanceof Error && error.name === "Refused"
      ? new UserError(`Cannot do job ${number} as ${error.message}`)
      : error;
  }
  return `job ${number} is done: ${job.title}`;
}

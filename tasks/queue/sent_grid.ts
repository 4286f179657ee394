import type { Experiment } from "../experiment/experiment.ts";
import { type BudgetPart, runBudgets } from "../experiment/run_budgets.ts";
import { UserError } from "../../core/errors.ts";
import { counted } from "../support/format.ts";
import { type SentFlags, STORE, workerFlags } from "./flags.ts";
import type { GivenUp } from "./queue_executor.ts";
import { inRanges } from "./scripts.ts";
import type { Sending } from "./sender.ts";

/** What a program that sends runs must be allowed. */
export interface Allowances {
  /** Folders that are written. */
  readonly writes: readonly string[];
  /** Hosts that are asked; `null`: as the program was started. */
  readonly network: readonly string[] | null;
}

/** Whether others than this process do the runs. */
export function isSent({ queue, jobs, collect }: SentFlags): boolean {
  return [queue, jobs, collect].some((flag) => flag !== undefined);
}

/**
 * What a verb with these flags must be allowed. Its task may ask any host; without a queue it gives that up.
 *
 * @throws UserError if a flag is wrong
 */
export async function allowancesOf(flags: SentFlags): Promise<Allowances> {
  if (!isSent(flags)) {
    const { state } = await Deno.permissions.query({ name: "net" });
    // Who named hosts meant plug-ins that ask them.
    return { writes: [], network: state === "granted" ? [] : null };
  }
  const { queue, jobs, collect, store = STORE } = flags;
  if ([queue, jobs, collect].filter((flag) => flag !== undefined).length > 1) {
    throw new UserError("Expected one of --queue, --jobs and --collect: runs are done in one of these ways");
  }
  const { storePlace } = await import("./store.ts");
  if (queue === undefined) return { writes: storePlace(folderFlag(jobs ?? collect!)).writes, network: [] };
  const { queueAddress, networkOf } = await import("./address.ts");
  const { writes, network } = storePlace(store);
  return { writes, network: [networkOf(queueAddress(queue)), ...network] };
}

function folderFlag(text: string): string {
  if (!text.includes("://")) return text;
  throw new UserError(`Cannot write jobs to ${text}: expected a folder that all machines have`);
}

/** How a sent grid ended. */
export interface SentResults {
  /** `null`: some runs are left to others. */
  readonly parts: readonly BudgetPart[] | null;
  readonly givenUp: readonly GivenUp[];
}

/** Has others do all runs of an experiment. What talks to queues is loaded by whoever has one. */
export async function sentGrid(
  experiment: Experiment,
  folder: string,
  { queue, queuePasswordFile, store = STORE, jobs, collect }: SentFlags,
  sending: Omit<Sending, "store"> & { readonly signal: AbortSignal },
): Promise<SentResults> {
  if (experiment.budgets?.[0].of === "seconds") {
    throw new UserError(
      `Cannot give runs ${experiment.budgets[0].name} that others do: their machines may be slower or busy; give ` +
        "multiples of the recipe's epochs, as 1x,4x",
    );
  }
  for (const { name, equalSeconds } of experiment.rows) {
    if (equalSeconds === null) continue;
    sending.reporter.warning(
      `the epochs of "${name}", which is given the time of "${equalSeconds}", are taken from seconds that workers take, ` +
        "and are right only where all workers are alike",
    );
  }
  const { storePlace } = await import("./store.ts");
  if (queue === undefined) {
    return { parts: await gridOfJobs(experiment, folder, { jobs, collect }, sending), givenUp: [] };
  }
  const { queueAddress, queuePassword } = await import("./address.ts");
  const { QueueExecutor } = await (await import("./load.ts")).queueParts();
  await using executor = await QueueExecutor.open({
    ...sending,
    store: await storePlace(store).open(),
    address: queueAddress(queue),
    workerFlags: workerFlags({ queue, queuePasswordFile, store }),
    password: await queuePassword(queuePasswordFile),
  });
  return { parts: await runBudgets(experiment, folder, executor), givenUp: executor.givenUp };
}

/** The results of runs that are jobs; those that are not done are written as jobs, or told. */
async function gridOfJobs(
  experiment: Experiment,
  folder: string,
  { jobs, collect }: Pick<SentFlags, "jobs" | "collect">,
  sending: Omit<Sending, "store">,
): Promise<readonly BudgetPart[] | null> {
  const { JobsExecutor, JobsLeft } = await import("./jobs_executor.ts");
  const { readJobs, writeJobs } = await import("./jobs_folder.ts");
  const { FolderStore } = await import("./folder_store.ts");
  const place = jobs ?? collect!;
  const before = collect === undefined ? null : await readJobs(collect);
  const store = new FolderStore(place);
  const executor = new JobsExecutor({ ...sending, store });
  try {
    return await runBudgets(experiment, folder, executor);
  } catch (error) {
    if (!(error instanceof JobsLeft)) throw error;
  }
  const left = executor.jobs;
  if (before !== null) {
    const { whyUncollected } = await import("./uncollected.ts");
    throw new UserError(`Cannot make the tables ${await whyUncollected(store, place, before, left)}`);
  }
  const numbers = inRanges(await writeJobs(store, place, experiment.name, left));
  const which = numbers === inRanges(left.map((_, index) => index + 1)) ? "" : ` (${numbers})`;
  sending.reporter.line(
    `${
      counted(left.length, "job")
    }${which} written to "${place}": commands.txt, slurm.sh, kubernetes.yaml; when they are done, ` +
      `--collect ${place} makes the tables`,
  );
  return null;
}

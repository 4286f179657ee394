import { VERSION } from "../../core/version.ts";
import { counted } from "../support/format.ts";
import type { Job, readJobs } from "./jobs_folder.ts";
import { keptOutcome } from "./kept_files.ts";
import type { Store } from "./store.ts";

/** Runs that a sentence names. */
const MOST_SHOWN = 5;

/**
 * Why the jobs of a folder make no tables.
 *
 * @param place the folder
 * @param before its jobs, and the version that wrote them
 * @param left the runs of the grid that are not done
 * @returns to follow "Cannot make the tables"
 */
export async function whyUncollected(
  store: Store,
  place: string,
  { version, jobs }: Awaited<ReturnType<typeof readJobs>>,
  left: readonly Job[],
): Promise<string> {
  const known = left.filter(({ id }) => jobs.some((job) => job.id === id));
  if (known.length > 0) {
    return `as ${counted(known.length, "job")} of "${place}" ${are(known)} not done: ${titles(known)}`;
  }
  const none =
    `as ${counted(left.length, "run")} that ${are(left)} not done (${titles(left)}) ${are(left)} none of the ` +
    `jobs of "${place}"`;
  if (version !== VERSION) return `${none}: these are for version ${version} of the program, and this is ${VERSION}`;
  const waiting: Job[] = [];
  for (const job of jobs) if (await keptOutcome(store, job.id) === null) waiting.push(job);
  // Whoever wrote these runs as jobs, too, would have all done twice.
  if (waiting.length > 0) {
    return `${none}, of which ${waiting.length} ${are(waiting)} not done either: the recipe or its data have changed ` +
      "since --jobs, or the jobs are another grid's";
  }
  return `yet as ${
    counted(left.length, "run")
  } can be done now that the jobs of "${place}" are: the same command with ` +
    "--jobs writes them";
}

function are(some: readonly unknown[]): string {
  return some.length === 1 ? "is" : "are";
}

function titles(jobs: readonly Job[]): string {
  const shown = jobs.slice(0, MOST_SHOWN).map(({ title }) => title).join("; ");
  return `${shown}${jobs.length > MOST_SHOWN ? "; ..." : ""}`;
}

import { join, relative } from "node:path";
import { z } from "zod";
import { UserError } from "../../core/errors.ts";
import { makeFolder, writeFileAtomically } from "../../core/files.ts";
import { lockFolder } from "../../core/lock.ts";
import { VERSION } from "../../core/version.ts";
import { readOwnJson } from "../support/own_json.ts";
import { layOut } from "./layout.ts";
import { quoted } from "./quoted.ts";
import { kubernetesJob, slurmScript } from "./scripts.ts";
import { readManifest, readSpec } from "./spec.ts";
import type { Store } from "./store.ts";

const jobsSchema = z.strictObject({
  version: z.string(),
  jobs: z.array(z.strictObject({ id: z.string(), title: z.string() })),
});

/** A run of a folder of jobs. */
export type Job = z.output<typeof jobsSchema>["jobs"][number];

const fileIn = (folder: string) => join(folder, "jobs.json");

/**
 * Writes what a cluster's scheduler needs to do runs: for each a recipe that reads what is in the folder alone, and a
 * command; all of them as an array of Slurm and as an indexed job of Kubernetes. Jobs that the folder has keep their
 * numbers, as a scheduler may have them waiting; others follow.
 *
 * @param folder is also the store of these runs
 * @param name the experiment's
 * @param runs those that are not done
 * @returns their numbers, in order
 * @throws UserError if another program writes jobs to the folder
 */
export async function writeJobs(store: Store, folder: string, name: string, runs: readonly Job[]): Promise<number[]> {
  await makeFolder(folder, "the folder of jobs");
  using _ = await lockFolder(folder, "another program writes jobs to it");
  const known = (await jobsIn(folder))?.jobs ?? [];
  const numberOf = new Map(known.map(({ id }, index) => [id, 1 + index]));
  const jobs = [...known];
  for (const run of runs) if (!numberOf.has(run.id)) numberOf.set(run.id, jobs.push(run));
  const numbers = runs.map(({ id }) => numberOf.get(id)!).sort((a, b) => a - b);
  const recipes = join(folder, "jobs");
  await makeFolder(recipes, "the folder of jobs");
  await makeFolder(join(folder, "logs"), "the folder of logs");
  for (const number of numbers) {
    const { id, title } = jobs[number - 1];
    const spec = await readSpec(store, id);
    const base = await layOut(store, folder, spec.manifest, await readManifest(store, spec));
    const own = spec.recipe
      .replace(/^base: .*$/m, () => `base: ${JSON.stringify(relative(recipes, base).replaceAll("\\", "/"))}`)
      .replace(/^output: .*$/m, () => `output: ${JSON.stringify(join(folder, "tried", `${number}`))}`);
    await writeFileAtomically(join(recipes, `${number}.yaml`), `# ${title}\n${own}`);
  }
  const commands = numbers.map((number) => `deno task worker --job ${number} --dir ${quoted(folder)}\n`);
  await writeFileAtomically(join(folder, "commands.txt"), commands.join(""));
  await writeFileAtomically(join(folder, "slurm.sh"), slurmScript(name, folder, numbers));
  await writeFileAtomically(join(folder, "kubernetes.yaml"), kubernetesJob(name, folder, numbers));
  // What the others are numbered by comes last.
  await writeFileAtomically(fileIn(folder), JSON.stringify({ version: VERSION, jobs }, null, 2) + "\n");
  return numbers;
}

function jobsIn(folder: string): Promise<z.output<typeof jobsSchema> | null> {
  const remedy = "remove it, and compare --jobs writes it anew";
  return readOwnJson(fileIn(folder), "the list of jobs", jobsSchema, remedy);
}

/**
 * The jobs of a folder.
 *
 * @throws UserError if it has none
 */
export async function readJobs(folder: string): Promise<{ readonly version: string; readonly jobs: readonly Job[] }> {
  const read = await jobsIn(folder);
  if (read) return read;
  throw new UserError(`Cannot find jobs in "${folder}" as it has no jobs.json: compare FILE --jobs writes one`);
}

import { join } from "node:path";
import { REPORT } from "../../core/distill/run_folder.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, writeFileAtomically } from "../../core/files.ts";
import { MARK } from "../experiment/output_folder.ts";
import { RESULTS } from "../experiment/write_results.ts";
import { TUNING } from "../tune/tuning_record.ts";
import { experimentPage } from "./experiment_page.ts";
import { readExperiment } from "./read_experiment.ts";
import { readRun } from "./read_run.ts";
import { readTuning } from "./read_tuning.ts";
import { runPage } from "./run_page.ts";
import { tuningPage } from "./tuning_page.ts";

/**
 * Draws the `report.html` of a run's folder, or of one that has the results of a comparison, a sweep or a tuning.
 *
 * @returns its path
 * @throws UserError if it is no such folder, something in it is damaged, or the page cannot be written
 */
export async function writeReport(folder: string): Promise<string> {
  const path = join(folder, REPORT);
  await writeFileAtomically(path, await pageFor(folder));
  return path;
}

async function pageFor(folder: string): Promise<string> {
  const has = async (name: string) => await kindOfPath(join(folder, name)) !== null;
  if (await has(RESULTS)) return experimentPage(await readExperiment(folder));
  if (await has(TUNING)) return tuningPage(await readTuning(folder));
  if (await has(MARK)) {
    throw new UserError(
      `Cannot report on "${folder}" as there is no result in it yet: the command that began it goes on to one`,
    );
  }
  return runPage(await readRun(folder));
}

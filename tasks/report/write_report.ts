import { join } from "node:path";
import { REPORT } from "../../core/distill/run_folder.ts";
import { kindOfPath, writeFileAtomically } from "../../core/files.ts";
import { RESULTS } from "../experiment/write_results.ts";
import { experimentPage } from "./experiment_page.ts";
import { readExperiment } from "./read_experiment.ts";
import { readRun } from "./read_run.ts";
import { runPage } from "./run_page.ts";

/**
 * Draws the `report.html` of a run's folder, or of one that has the results of a comparison or a sweep.
 *
 * @returns its path
 * @throws UserError if it is no such folder, something in it is damaged, or the page cannot be written
 */
export async function writeReport(folder: string): Promise<string> {
  const path = join(folder, REPORT);
  const isExperiment = await kindOfPath(join(folder, RESULTS)) !== null;
  await writeFileAtomically(
    path,
    isExperiment ? experimentPage(await readExperiment(folder)) : runPage(await readRun(folder)),
  );
  return path;
}

import { join } from "node:path";
import { TrainingFailure } from "../../core/distill/stops.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, removePath, writeFileAtomically } from "../../core/files.ts";
import { sealJson } from "../../core/sealed_json.ts";
import type { FinishedRun, Runner } from "../experiment/outcome.ts";
import { withOutputFolder } from "../experiment/output_folder.ts";
import { trainingRunner } from "../experiment/runner.ts";
import { stopOfSeveral } from "../experiment/stop_of_several.ts";
import { markdownOf, textOf } from "../experiment/tables.ts";
import { allowedPlugins } from "../support/allowed_plugins.ts";
import { confined, writesOf } from "../support/confine.ts";
import { overridesOf, type RunFlags } from "../support/flags.ts";
import { stoppable } from "../support/interrupt.ts";
import { standardOutput, stylesOf } from "../support/output.ts";
import { ownCodeAlone } from "../support/own_code.ts";
import { runReporter } from "../support/progress.ts";
import { type PlannedStage, planStages, type Stages } from "./read_stages.ts";
import { stagesTable } from "./stages_table.ts";

/** What came of all stages. */
const RESULTS = "stages.json";

/** The same as a table. */
const TABLE = "stages.md";

/**
 * Runs stages one after the other from the command line: one that is done with the same inputs, the student before it
 * among them, is not done again, an interrupted one goes on from its checkpoint, and a table closes them.
 *
 * @throws UserError for a mistake in a stage's recipe, before the first is begun
 * @throws TrainingFailure if the training of one fails
 */
export async function runStages(stages: Stages, flags: RunFlags): Promise<void> {
  if (flags.dryRun) {
    throw new UserError(
      "Cannot look at stages in a dry run, as each needs the student of the one before: name the recipe of one",
    );
  }
  const folder = flags.out ?? join("runs", stages.name);
  if (flags.resume && await kindOfPath(folder) === null) {
    throw new UserError(`Cannot resume as there is no folder "${folder}": start anew without --resume`);
  }
  const planned = planStages(stages, folder, overridesOf({ ...flags, out: undefined }));
  const writes = planned.flatMap(({ recipe }) => writesOf(recipe, folder));
  const native = planned.every(({ recipe }) => ownCodeAlone(recipe.value));
  await confined(writes, () => run(stages.name, folder, planned, flags), native);
}

async function run(name: string, folder: string, planned: readonly PlannedStage[], flags: RunFlags): Promise<void> {
  const out = standardOutput("stdout");
  const reporter = runReporter(out, standardOutput("stderr"), flags);
  const table = await withOutputFolder(folder, name, async (check) => {
    // What is there tells of students that will not be.
    const begin = async () => {
      await check();
      for (const file of [RESULTS, TABLE]) await removePath(join(folder, file));
    };
    const runs = await stoppable(
      (signal) => carryOut(planned, trainingRunner(allowedPlugins(flags), reporter, signal, begin)),
      () => {
        reporter.end();
        reporter.warning("stopping with a checkpoint as soon as the current step is done; Ctrl-C again stops at once");
      },
    ).catch((error) => {
      throw stopOfSeveral(error);
    }).finally(reporter.end);
    await check();
    const table = stagesTable(name, planned, runs);
    const results = planned.map(({ name }, index) => ({ stage: name, ...runs[index] }));
    await writeFileAtomically(join(folder, RESULTS), await sealJson({ stages: name, results }));
    await writeFileAtomically(join(folder, TABLE), markdownOf(table));
    return table;
  });
  if (!flags.quiet) out.line("");
  for (const line of textOf(table, stylesOf(out).strong)) out.line(line);
  out.line("");
  out.line(
    `Written: ${join(folder, "stages.{json,md}")}; the last student is in ${planned.at(-1)!.recipe.value.output}`,
  );
}

/**
 * Does each stage after the one before it.
 *
 * @param runner does one, or finds that it is done
 * @throws TrainingFailure if the training of one failed: those after it have no teacher
 */
export async function carryOut(planned: readonly PlannedStage[], runner: Runner): Promise<FinishedRun[]> {
  const runs: FinishedRun[] = [];
  for (const { name, recipe } of planned) {
    const outcome = await runner(recipe, `stage "${name}"`);
    if ("failure" in outcome) throw new TrainingFailure(`The stage "${name}" failed: ${outcome.failure}`);
    runs.push(outcome);
  }
  return runs;
}

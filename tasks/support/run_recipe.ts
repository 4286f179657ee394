import { join } from "node:path";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { distill } from "../../core/distill/distill.ts";
import { MOVING, PREVIOUS } from "../../core/distill/run_folder.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { readRecipe } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { allowedPlugins } from "./allowed_plugins.ts";
import { withBackend } from "./backend.ts";
import { confined, writesOf } from "./confine.ts";
import { overridesOf, type RunFlags } from "./flags.ts";
import { stoppable } from "./interrupt.ts";
import { standardOutput, stylesOf } from "./output.ts";
import { runReporter } from "./progress.ts";
import { showSummary } from "./summary_table.ts";

/**
 * Runs a recipe from the command line: what it does is told on standard output, a table closes it, and Ctrl-C leaves a
 * checkpoint.
 *
 * @param file the recipe
 * @param check refuses a recipe that is another verb's
 */
export async function runRecipe(
  file: string,
  flags: RunFlags,
  check: (recipe: Checked<Recipe>) => void,
): Promise<void> {
  const recipe = await readRecipe(file, { overrides: overridesOf(flags) });
  check(recipe);
  if (flags.resume) await checkCheckpoint(recipe.value.output);
  await confined(writesOf(recipe), () => train(recipe, flags));
}

async function train(recipe: Checked<Recipe>, flags: RunFlags): Promise<void> {
  const { backend: choice, output: folder } = recipe.value;
  const out = standardOutput("stdout");
  const reporter = runReporter(out, standardOutput("stderr"), flags);
  const summary = await withBackend(choice, reporter.line, (backend) =>
    stoppable(
      (signal) => distill(recipe, { backend, builtins: allowedPlugins(flags), resume: flags.resume, reporter, signal }),
      () =>
        reporter.warning(
          "stopping with a checkpoint as soon as the current step is done (an export that has begun is finished); Ctrl-C again stops at once",
        ),
    ).finally(reporter.end));
  if (!flags.quiet) out.line("");
  for (const line of showSummary(summary, folder, stylesOf(out))) out.line(line);
}

/** Before data and teacher are loaded only to find that there is nothing to resume. */
async function checkCheckpoint(folder: string): Promise<void> {
  const file = join(folder, CHECKPOINT_FILE);
  if (await kindOfPath(file) !== null) return;
  // A run that was killed as it moved the results of the one before aside has them moved back when it is opened.
  const [moving, previous] = [MOVING, PREVIOUS].map((name) => join(folder, name));
  if (await kindOfPath(join(moving, CHECKPOINT_FILE)) !== null) return;
  const before = await kindOfPath(join(previous, CHECKPOINT_FILE)) !== null;
  const advice = before ? `; that of the run before is in "${previous}"` : "";
  throw new UserError(`Cannot resume as there is no checkpoint "${file}": start anew without --resume${advice}`);
}

import { distill } from "../../core/distill/distill.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { UserError } from "../../core/errors.ts";
import { readRecipe } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { allowedPlugins } from "./allowed_plugins.ts";
import { withBackend } from "./backend.ts";
import { confined, writesOf } from "./confine.ts";
import { drawReport } from "./draw_report.ts";
import { dryOverrides, dryRun } from "./dry_run.ts";
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
  if (flags.dryRun && flags.resume) throw new UserError("Cannot resume in a dry run: leave out --resume or --dry-run");
  const overrides = overridesOf(flags);
  const asked = await readRecipe(file, { overrides });
  check(asked);
  const recipe = flags.dryRun ? await readRecipe(file, { overrides: [...overrides, ...dryOverrides(asked)] }) : asked;
  await confined(writesOf(recipe), () => train(recipe, flags), true);
}

async function train(recipe: Checked<Recipe>, flags: RunFlags): Promise<void> {
  const { backend: choice, output: folder, train: { precision } } = recipe.value;
  const out = standardOutput("stdout");
  const reporter = runReporter(out, standardOutput("stderr"), flags);
  const builtins = allowedPlugins(flags);
  if (flags.dryRun) {
    const lines = await withBackend(
      choice,
      reporter.line,
      (backend) => stoppable((signal) => dryRun(recipe, { backend, builtins, reporter, signal }), () => {}),
    );
    return lines.forEach(out.line);
  }
  const summary = await withBackend(choice, reporter.line, (backend) =>
    stoppable(
      (signal) => distill(recipe, { backend, builtins, resume: flags.resume, record: flags.report, reporter, signal }),
      () => {
        reporter.end();
        reporter.warning(
          "stopping with a checkpoint as soon as the current step is done (an export that has begun is finished); Ctrl-C again stops at once",
        );
      },
    ).finally(reporter.end), { f16: precision === "f16" });
  const report = flags.report ? await drawReport(folder, reporter.warning) : null;
  if (!flags.quiet) out.line("");
  for (const line of showSummary(summary, folder, stylesOf(out), report)) out.line(line);
}

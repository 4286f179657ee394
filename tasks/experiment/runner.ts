import type { BackendChoice } from "../../core/backend/open_backend.ts";
import { distill } from "../../core/distill/distill.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { TrainingFailure } from "../../core/distill/stops.ts";
import type { RunSummary } from "../../core/distill/summary.ts";
import { UserError } from "../../core/errors.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { builtins } from "../../plugins/builtins.ts";
import { withBackend } from "../support/backend.ts";
import type { RunReporter } from "../support/progress.ts";
import { metricName, type Outcome, type Runner, scoreOf } from "./outcome.ts";
import { canResume, diagnosticsIn, forgetOutcome, outcomeIn, writeFailure } from "./run_folder.ts";

/**
 * A runner that trains: a run that is done is not done again, an interrupted one goes on from its checkpoint, and each
 * has a backend of its own, so that its peak of memory is its own.
 *
 * @param reporter is told one line for each run
 */
export function trainingRunner(reporter: RunReporter, signal: AbortSignal): Runner {
  let backendTold = false;
  const tell = (line: string) => {
    if (!backendTold) reporter.line(line);
    backendTold = true;
  };
  return async (recipe, title) => {
    // Fills in the plug-ins' options, as in the resolved recipe of the run folder.
    await resolvePlugins(recipe, builtins);
    const done = await outcomeIn(recipe);
    if (done) {
      reporter.line(`${title}: ${describe(done)} (was done)`);
      return done;
    }
    const { output: folder, seed, backend: choice } = recipe.value;
    const options = { reporter: quietly(reporter, title), signal };
    let outcome: Outcome;
    try {
      const summary = await train(recipe, choice, options, tell);
      outcome = { folder, seed, summary, diagnostics: await diagnosticsIn(folder) };
    } catch (error) {
      if (!(error instanceof TrainingFailure)) throw error;
      await writeFailure(folder, error.message);
      outcome = { folder, seed, failure: error.message };
    }
    reporter.end();
    reporter.line(`${title}: ${describe(outcome)}`);
    return outcome;
  };
}

type Options = Omit<Parameters<typeof distill>[1], "backend" | "builtins" | "resume">;

async function train(
  recipe: Checked<Recipe>,
  choice: BackendChoice,
  options: Options,
  tell: (line: string) => void,
): Promise<RunSummary> {
  const run = (resume: boolean) =>
    withBackend(choice, tell, (backend) => distill(recipe, { ...options, backend, builtins, resume }));
  const resume = await canResume(recipe);
  await forgetOutcome(recipe.value.output);
  if (!resume) return run(false);
  try {
    return await run(true);
  } catch (error) {
    // Data or teacher have changed since: the run is another one.
    if (!(error instanceof UserError)) throw error;
    return run(false);
  }
}

/** Of a run within many only progress and warnings are told. */
function quietly(reporter: RunReporter, title: string) {
  return {
    line: () => {},
    warning: (text: string) => reporter.warning(`${title}: ${text}`),
    progress: reporter.progress,
  };
}

function describe(outcome: Outcome): string {
  if ("failure" in outcome) return outcome.failure;
  const { student, seconds } = outcome.summary;
  const score = student.validationMetrics === null
    ? ""
    : `validation ${metricName(outcome.summary)} ${scoreOf(student.validationMetrics).toFixed(4)}, `;
  return `${score}${seconds.train.toFixed(1)} s`;
}

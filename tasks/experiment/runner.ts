import type { Backend } from "../../core/backend/backend.ts";
import { Run } from "../../core/distill/run.ts";
import { TrainingFailure } from "../../core/distill/stops.ts";
import { CheckpointRefused } from "../../core/distill/training/checkpoint.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { withoutLibraryForOthers } from "../support/own_code.ts";
import { withBackend } from "../support/backend.ts";
import type { RunReporter } from "../support/progress.ts";
import { EarlierRuns } from "./earlier_runs.ts";
import { writeInputs } from "./inputs.ts";
import { describe, type Outcome, type Runner } from "./outcome.ts";
import { canResume, diagnosticsIn, forgetOutcome, writeFailure } from "./run_folder.ts";

/**
 * A runner that trains: a run that is done is not done again unless a file that it read has changed, an interrupted one
 * goes on from its checkpoint, and each has a backend of its own, so that its peak of memory is its own.
 *
 * @param builtins the plug-ins that recipes may name
 * @param reporter is told one line for each run
 * @param begin called before each run that is done anew
 */
export function trainingRunner(
  builtins: Builtins,
  reporter: RunReporter,
  signal: AbortSignal,
  begin: () => Promise<void> = () => Promise.resolve(),
): Runner {
  const told = new Set<string>();
  const tell = (line: string) => {
    if (!told.has(line)) reporter.line(line);
    told.add(line);
  };
  const earlier = new EarlierRuns(builtins, reporter);
  return async (recipe, title) => {
    // A tuned value may be a plug-in of the user's.
    await withoutLibraryForOthers(recipe.value, title, reporter.warning);
    const { output: folder, seed, backend: choice, train: { precision } } = recipe.value;
    const { done, changed, data } = await earlier.look(recipe);
    if (done && !changed) {
      reporter.line(`${title}: ${describe(done)} (was done)`);
      return done;
    }
    const resume = await canResume(recipe, (reason) => reporter.line(`${title}: ${reason}`));
    if (changed && (done || resume)) reporter.line(`${title}: ${changed} has changed since: the run is done anew`);
    await begin();
    await forgetOutcome(folder);
    const named = await earlier.hashes.named(recipe);
    const train = async (backend: Backend, resume: boolean) => {
      using run = await Run.open(recipe, { backend, builtins, resume, reporter: quietly(reporter, title), signal });
      // Not before it has opened: what is there until then, a checkpoint above all, is of other inputs.
      await writeInputs(folder, named);
      await run.train(signal);
      await run.export();
      return await run.summary();
    };
    const run = (resume: boolean) =>
      withBackend(choice, tell, (backend) => train(backend, resume), { f16: precision === "f16", again: true });
    let outcome: Outcome;
    try {
      const summary = await (resume && !changed ? resumed(run) : run(false));
      outcome = { folder, seed, summary, diagnostics: await diagnosticsIn(folder) };
    } catch (error) {
      if (!(error instanceof TrainingFailure)) throw error;
      // A failure has no summary that says what was read.
      await writeInputs(folder, { ...named, data: await data() });
      await writeFailure(folder, error.message);
      outcome = { folder, seed, failure: error.message };
    }
    reporter.end();
    reporter.line(`${title}: ${describe(outcome)}`);
    return outcome;
  };
}

async function resumed(run: (resume: boolean) => Promise<RunSummary>): Promise<RunSummary> {
  try {
    return await run(true);
  } catch (error) {
    // Data or teacher have changed since: the run is another one.
    if (!(error instanceof CheckpointRefused)) throw error;
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

import type { Override } from "../../core/recipe/overrides.ts";
import { allowedPlugins } from "../support/allowed_plugins.ts";
import { withBackend } from "../support/backend.ts";
import { dryOverrides, dryTrial } from "../support/dry_run.ts";
import type { PluginFlags } from "../support/allowed_plugins.ts";
import type { RunReporter } from "../support/progress.ts";
import { EarlierRuns } from "./earlier_runs.ts";
import type { Experiment } from "./experiment.ts";
import { describePlan, planOf } from "./plan.ts";

/** The changes that a trial of a row's recipe needs, as its run folder is then beside the experiment's. */
export function trialOverrides(row: Experiment["rows"][number], folder: string): Override[] {
  const output: Override = { path: ["output"], value: folder, label: "--dry-run" };
  return [output, ...dryOverrides(row.recipe([output]))];
}

/**
 * Looks what an experiment is still to do and what that takes, by a few steps of each row of which nothing is done.
 *
 * @param folder the experiment's
 * @returns lines for people
 */
export async function dryExperiment(
  experiment: Experiment,
  folder: string,
  flags: PluginFlags,
  reporter: RunReporter,
  signal: AbortSignal,
): Promise<string[]> {
  const builtins = allowedPlugins(flags);
  const earlier = new EarlierRuns(builtins, reporter);
  const plan = await planOf(experiment, folder, {
    find: async (recipe) => {
      const { done, changed } = await earlier.look(recipe);
      return changed === null ? done : null;
    },
    time: async ({ value: { backend: choice, train: { precision } } }, name) => {
      reporter.line(`${name}: a few steps, which leave no run folder`);
      const row = experiment.rows.find((row) => row.name === name)!;
      const recipe = row.recipe(trialOverrides(row, folder));
      const { secondsAnEpoch } = await withBackend(
        choice,
        () => {},
        (backend) =>
          dryTrial(recipe, {
            backend,
            builtins,
            signal,
            reporter: { ...reporter, line: () => {}, progress: () => {} },
          }),
        { f16: precision === "f16", again: true },
      );
      return secondsAnEpoch;
    },
  });
  return describePlan(experiment.name, plan);
}

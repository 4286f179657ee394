import type { Backend } from "../../core/backend/backend.ts";
import { Run } from "../../core/distill/run.ts";
import { writeRunRecipe } from "../../core/distill/run_folder.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { TrainingFailure } from "../../core/distill/stops.ts";
import { monitorOf } from "../../core/distill/training/monitor.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { type Checked, mistakesOf } from "../../core/recipe/checked.ts";
import { baseFrom } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { canResume } from "../experiment/run_folder.ts";
import { isOfPlace } from "../support/of_place.ts";
import type { RunReporter } from "../support/progress.ts";

/** How a trial is trained. */
export interface TrialOptions {
  /** Whether it is the recipe as it is: what is wrong with that no search mends. */
  readonly own: boolean;
  readonly backend: Backend;
  readonly builtins: Builtins;
  /** Is told of progress and warnings. */
  readonly reporter: Pick<RunReporter, "progress" | "warning">;
  readonly signal: AbortSignal;
}

/** What a trial came to. */
export interface TrainedTrial {
  /** Of the monitored metric, larger for the better: a loss by its negative. */
  readonly score: number;
  readonly metric: string;
}

/**
 * Trains a trial to its end, from the checkpoint in its run folder if it was stopped there, and leaves one. Test
 * examples have no part in it.
 *
 * @throws TrainingFailure if it does not train, its score is no number, or several levers made it impossible
 * @throws Interrupted if the signal fires; there is a checkpoint then
 * @throws UserError for a mistake in the recipe as it is, or for what this machine lacks or has no room for
 */
export async function trainTrial(
  recipe: Checked<Recipe>,
  { own, backend, builtins, reporter, signal }: TrialOptions,
): Promise<TrainedTrial> {
  const told = { ...reporter, line: () => {} };
  const open = async () => {
    // The checkpoint's recipe has the options of plug-ins filled in.
    await resolvePlugins(recipe, builtins);
    const resume = await canResume(recipe, () => {});
    return await Run.open(recipe, { backend, builtins, resume, reporter: told, signal });
  };
  using run = await open().catch((error) => {
    // What several levers together make impossible costs the trial; what this machine fails at is no fault of it.
    const isTrials = !own && mistakesOf(error) !== null && !isOfPlace(error.cause);
    throw isTrials ? new TrainingFailure(error.message) : error;
  });
  const { id, folder, training } = run.parts;
  // Not by the run itself: that measures the teacher on the test examples when it begins, and nobody looks at these.
  await folder.claim(id, { resume: training.resumed, goesOn: true }, told);
  const text = stringifyRecipe({ ...recipe.value, base: baseFrom(recipe, folder.path) });
  await writeRunRecipe(folder.path, id, text);
  await training.run(signal);
  // The recipe's own, as often as it asks for them, need not be of the end.
  await training.keep();
  const { score, metric } = await scoreOf(run);
  if (!Number.isFinite(score)) throw new TrainingFailure(`its validation ${metric} is no number`);
  return { score, metric };
}

/** The monitored metric of the student that would be exported. */
async function scoreOf(run: Run): Promise<TrainedTrial> {
  const { recipe: { value: settings }, data: { validation, dataset: { input } }, teacher, training } = run.parts;
  const taught = teacher !== null && (!validation || teacher.knows?.(validation) !== false);
  const watched = { validation, taught };
  const metric = monitorOf(settings.train.monitor, input, watched, settings.evaluate.positiveClass);
  const valueOf = (metrics: Readonly<Record<string, number | null>>) =>
    (metrics[metric] ?? NaN) * (metric === "loss" ? -1 : 1);
  // It may have been the student of an epoch before it was stopped, of which nobody has the numbers any more.
  const { metrics, loss } = training.validated ?? await run.evaluate("validation");
  return { metric, score: valueOf({ ...metrics, loss }) };
}

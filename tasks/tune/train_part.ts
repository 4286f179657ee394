import { join } from "node:path";
import { z } from "zod";
import type { Backend } from "../../core/backend/backend.ts";
import { Run } from "../../core/distill/run.ts";
import { writeRunRecipe } from "../../core/distill/run_folder.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { Interrupted, TrainingFailure } from "../../core/distill/stops.ts";
import { monitorOf } from "../../core/distill/training/monitor.ts";
import { readTextIfThere } from "../../core/files.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { type Checked, mistakesOf } from "../../core/recipe/checked.ts";
import { baseFrom } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { canResume } from "../experiment/run_folder.ts";
import { parseOwnJson } from "../support/own_json.ts";
import { isOfPlace } from "../support/of_place.ts";
import type { RunReporter } from "../support/progress.ts";

/** How a part of a trial is trained. */
export interface PartOptions {
  /** Whether it is the recipe as it is: what is wrong with that no search mends. */
  readonly own: boolean;
  readonly backend: Backend;
  readonly builtins: Builtins;
  /** Is told of progress and warnings. */
  readonly reporter: Pick<RunReporter, "progress" | "warning">;
  readonly signal: AbortSignal;
}

/** Where a trial stands after a part of its training. */
export interface TrainedPart {
  /** Of the monitored metric, larger for the better: a loss by its negative. */
  readonly score: number;
  readonly metric: string;
  /** Whether training is over: at its last epoch, or before by early stopping. */
  readonly ended: boolean;
}

const logSchema = z.looseObject({ step: z.int(), validation: z.record(z.string(), z.number().nullable()) });

/**
 * Trains a trial up to an epoch, from the checkpoint in its run folder if there is one, and leaves one. Test examples
 * have no part in it.
 *
 * @throws TrainingFailure if it does not train, its score is no number, or several levers made it impossible
 * @throws Interrupted if the signal fires; there is a checkpoint then
 * @throws UserError for a mistake in the recipe as it is, or for what this machine lacks or has no room for
 */
export async function trainPart(
  recipe: Checked<Recipe>,
  epochs: number,
  { own, backend, builtins, reporter, signal }: PartOptions,
): Promise<TrainedPart> {
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
  const last = epochs * training.progress.stepsPerEpoch;
  while (!training.finished && training.progress.step < last) {
    // Writes a checkpoint.
    if (signal.aborted) await training.run(signal);
    await training.step();
  }
  if (!training.finished && training.kept?.step !== training.progress.step) await leave(training);
  // The checkpoint may be of a search that had other parts, and be further on than this one.
  const ended = training.finished && training.progress.step <= last;
  const { score, metric } = await scoreOf(run, ended ? null : last);
  if (!Number.isFinite(score)) throw new TrainingFailure(`its validation ${metric} is no number`);
  return { score, metric, ended };
}

/**
 * The monitored metric of a run. At its end that of the student which is exported; midway, where the rate is high and
 * one epoch says little, the best one so far.
 *
 * @param step up to which it counts; `null`: it has ended
 */
async function scoreOf({ parts }: Run, step: number | null): Promise<Pick<TrainedPart, "score" | "metric">> {
  const { recipe: { value: settings }, data: { validation, dataset: { input } }, teacher, folder, training } = parts;
  const taught = teacher !== null && (!validation || teacher.knows?.(validation) !== false);
  const watched = { validation, taught };
  const metric = monitorOf(settings.train.monitor, input, watched, settings.evaluate.positiveClass);
  const valueOf = (metrics: Readonly<Record<string, number | null>>) =>
    (metrics[metric] ?? NaN) * (metric === "loss" ? -1 : 1);
  const { validated } = training;
  if (step === null && validated) {
    return { metric, score: valueOf({ ...validated.metrics, loss: validated.loss }) };
  }
  const file = join(folder.path, "metrics.jsonl");
  const text = await readTextIfThere(file, "the log") ?? "";
  const curve = text.split("\n").filter((line) => line.includes('"validation"')).map((line) =>
    parseOwnJson(line, file, "the log", logSchema, `remove "${folder.path}"`)
  ).filter((line) => step === null || line.step <= step).map(({ validation }) => valueOf(validation));
  const isLast = step === null && !settings.train.restoreBest;
  return { metric, score: isLast ? curve.at(-1) ?? NaN : Math.max(...curve) };
}

/** Has a training write a checkpoint where it stands. */
async function leave(training: Run["parts"]["training"]): Promise<void> {
  try {
    await training.run(AbortSignal.abort());
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
}

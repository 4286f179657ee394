import type { Backend } from "../../core/backend/backend.ts";
import { Interrupted, StoppedEarly, TrainingFailure } from "../../core/distill/stops.ts";
import { UserError } from "../../core/errors.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { withOutputFolder } from "../experiment/output_folder.ts";
import { drawReport } from "../support/draw_report.ts";
import type { Output } from "../support/output.ts";
import type { RunReporter } from "../support/progress.ts";
import { exactTime, showTime } from "../support/time.ts";
import { Asha } from "./asha.ts";
import { finishBest } from "./best_run.ts";
import { isBegun, prepare, type PrepareOptions } from "./prepare.ts";
import { decide, type Decided, DECIDING_SEEDS } from "./decide.ts";
import { type Evaluated, resourcesFor, search } from "./search.ts";
import { SentTrials, type TrialExecutor } from "./sent_trials.ts";
import { showPart } from "./show.ts";
import { describeConfiguration, optionsOf, type Space, Trials } from "./space.ts";
import { describeLever } from "./space_file.ts";
import { Teller, trialName } from "./teller.ts";
import type { RecipeOf } from "./trial_record.ts";
import { type Trialling, TrialRunner } from "./trial_runner.ts";
import { configured, type TunedRecipe } from "./tuned_recipe.ts";
import { leastVerdict, NO_VERDICT, runVerdict } from "./verdict_runs.ts";
import { putTuningAside, showTuning, testedIn, writeTuning } from "./write_tuning.ts";

/** Of so many trials on a rung one goes on, over so many rungs at most: Li et al. have 4, for longer trainings. */
const [REDUCTION, MOST_RUNGS] = [3, 3];

/** The part of a search that is kept to decide between its best trials. */
const DECIDING = 0.3;

/** The part of the budget that is kept for the end at least. */
const LEAST_END = 0.02;

/** Where runs take longer than by the probe, the end will; by so many times at most, as the rest is queueing. */
const MOST_SLOWER = 2;

/** How a recipe is tuned. */
export interface TuningOptions {
  readonly folder: string;
  /** Gives seconds, and what it gave when the program was asked. */
  readonly clock: () => number;
  readonly started: number;
  /** Seconds of the budget. */
  readonly budget: number;
  /** The part of them that is kept for the verdict. */
  readonly verdict: number;
  /** `random`: every trial has its whole training at once. */
  readonly search: "asha" | "random";
  /** A space file of the user's. */
  readonly space: string | null;
  readonly resume: boolean;
  /** Draws the pages of the tuning and of its best run. */
  readonly report: boolean;
  readonly quiet: boolean;
  readonly backend: Backend;
  readonly builtins: Builtins;
  readonly signal: AbortSignal;
  readonly out: Output;
  readonly warnings: Output;
  /** Opens others that train the trials; `null`: they are trained here. */
  readonly sent: ((reporter: RunReporter) => Promise<TrialExecutor & AsyncDisposable>) | null;
  /** Is told of the stop of a search that is under way, before the program ends. */
  readonly tell: (line: string) => void;
}

/**
 * Searches for the best settings of a recipe by validation, says what each of them is worth, writes the best recipe,
 * and measures its student on the test examples, once.
 *
 * @throws UserError for a mistake in recipe, space or flags
 * @throws Interrupted when the signal fires
 */
export async function tune(tuned: TunedRecipe, options: TuningOptions): Promise<void> {
  const { folder, resume } = options;
  const { name } = tuned.row.recipe([]).value;
  const goesOn = await isBegun(folder);
  if (goesOn && !resume) {
    throw new UserError(
      `Cannot begin a tuning in "${folder}" as there is one already: --resume goes on with it, --output names another ` +
        "folder",
    );
  }
  if (!goesOn && resume) throw new UserError(`Cannot resume as there is no tuning in "${folder}": leave out --resume`);
  await withOutputFolder(folder, `tune-${name}`, async (check) => {
    try {
      await run(tuned, options, goesOn, check);
    } catch (error) {
      // Before it is begun there is nothing to go on with, as the error says.
      if ((error instanceof Interrupted || error instanceof StoppedEarly) && await isBegun(folder)) {
        error.message = `Stopped: the same command with --resume goes on in "${folder}"`;
      }
      throw error;
    }
  });
}

/** Measures a recipe and finds its space, for {@link tune} and for a dry run. */
export async function prepareTuning(
  tuned: TunedRecipe,
  options: Omit<TuningOptions, "warnings" | "out">,
  { goesOn, dryRun }: Pick<PrepareOptions, "goesOn" | "dryRun">,
) {
  const { budget, verdict, tell, ...others } = options;
  const seconds = { search: (1 - DECIDING) * (1 - verdict) * budget, whole: budget };
  return await prepare(tuned, { ...others, seconds, goesOn, dryRun, tell });
}

/** The parts of a whole training over which trials of a space are trained to be compared. */
export function resourcesOf(
  tuned: TunedRecipe,
  space: Space,
  { folder, search }: Pick<TuningOptions, "folder" | "search">,
): number[] {
  if (search === "random") return [1];
  const lengthOf = (configuration: Record<string, string>) =>
    configured(tuned, space, configuration, 0, folder).value.train.epochs;
  return resourcesFor(Math.min(...[{}, ...optionsOf(space)].map(lengthOf)), REDUCTION, MOST_RUNGS);
}

async function run(
  tuned: TunedRecipe,
  options: TuningOptions,
  goesOn: boolean,
  check: () => Promise<void>,
): Promise<void> {
  const { folder, budget, clock, verdict: share, backend, builtins, signal, quiet, out, warnings, sent, tell } =
    options;
  // Until there is one that rewrites; what others tell then stands above that.
  let teller: Teller | null = null;
  const reporter: RunReporter = {
    line: (line) => teller ? teller.line(line) : tell(line),
    warning: (text) => teller ? teller.warning(text) : warnings.line(`Warning: ${text}`),
    progress: (line) => teller?.progress(line),
    end: () => {},
  };
  const testedBefore = await testedIn(folder);
  // A queue that cannot be used is told before anything is opened or written.
  await using executor = await sent?.(reporter) ?? null;
  const { space, expected, used } = await prepareTuning(tuned, options, { goesOn, dryRun: false });
  const resources = resourcesOf(tuned, space, options);
  const recipe = tuned.row.recipe([]).value;
  const recipeOf: RecipeOf = (configuration, seed, output, resource) =>
    configured(tuned, space, configuration, seed, output, resource);
  const common = { folder: `${folder}/runs`, recipe: recipeOf, clock, expected, used };
  const runner: Trialling = executor
    ? await SentTrials.open({
      ...common,
      executor,
      warn: reporter.warning,
    })
    : new TrialRunner({ ...common, backend, builtins, reporter, signal });
  const time = () => ({ used: runner.used, all: budget });
  const live = teller = new Teller({ out, warnings, quiet, resources, time, metric: () => runner.metric });
  const stopping = () => {
    if (executor) return; // which tells itself
    live.warning("stopping with a checkpoint as soon as the current step is done; Ctrl-C again stops at once");
  };
  signal.addEventListener("abort", stopping);
  for (const lever of space.levers) live.line(`  ${describeLever(lever)}`);
  const trials = new Trials(space, recipe.seed);
  const told = {
    begun: (what: string) => live.begun(what),
    ended: (what: string, evaluated: Evaluated) => live.compared(what, evaluated),
  };
  const asha = new Asha({ rungs: resources.length, reduction: REDUCTION, unconditional: 1 });
  /** Why no trial came to its end: all are lost, or their trainers took longer than the probe did here. */
  const noFinalist = (): Error => {
    const { name } = recipe;
    const scores = Array.from({ length: asha.begun }, (_, trial) => asha.scores(trial));
    if (scores.length > 0 && scores.every((scores) => scores.includes(null))) {
      return new TrainingFailure(
        `No trial of "${name}" came to its end: --dry-run shows what was tried, and "${folder}" has why not`,
      );
    }
    return new UserError(
      `--budget ${
        exactTime(budget)
      }: Cannot tune "${name}" in it, as no trial came to its end: the same command with a ` +
        "larger one and --resume goes on",
    );
  };
  let stopped = true;
  try {
    const evaluator = runner.with(recipe.seed);
    const runs = { runs: (seed: number) => runner.with(seed), ...told };
    /** Searches until some time of the budget. */
    const searching = async (seconds: number): Promise<void> => {
      live.phase(`tuning ${recipe.name}, search`);
      await search({
        asha,
        resources,
        configuration: (trial) => trials.at(trial),
        evaluator,
        seconds,
        begun: ({ trial, rung }) => live.begun(`${trialName(trial)}, ${showPart(resources[rung])}`),
        ended: (job, evaluated) => live.ended(job, trials.at(job.trial)!, evaluated),
      });
    };
    /** Decides between the best so far. */
    const deciding = async (seconds: number): Promise<readonly Decided[]> => {
      const finalists = asha.finalists.map((trial) => ({
        trial,
        configuration: trials.at(trial)!,
        score: asha.scores(trial).at(-1)!,
      }));
      if (finalists.length === 0) throw noFinalist();
      live.phase(`tuning ${recipe.name}, decision`);
      return await decide({ ...runs, finalists, firstSeed: recipe.seed + 1, seconds });
    };
    /** Both, until some time of the budget, the last part of which is for the decision. */
    const found = async (end: number): Promise<readonly Decided[]> => {
      await searching(runner.used + (1 - DECIDING) * (end - runner.used));
      return await deciding(end);
    };
    const end = () =>
      budget - Math.max(expected.ending * Math.min(MOST_SLOWER, Math.max(1, runner.ratio)), LEAST_END * budget);
    let decided = await found(Math.min(end(), used + (1 - share) * (budget - used)));
    const verdictRuns = { ...runs, space, firstSeed: recipe.seed + 1 + DECIDING_SEEDS };
    const needed = leastVerdict({ ...verdictRuns, best: decided[0].configuration });
    let verdict = NO_VERDICT;
    if (share === 0 || needed === null || needed > 0 && needed > end() - runner.used) {
      // Time that is not enough for three pairs of runs is better spent on more trials.
      if (share > 0 && needed !== null) {
        // What is kept for the end is a part of the budget, or what that takes.
        const kept = share > LEAST_END ? (needed + share * used) / (share - LEAST_END) : 0;
        const enough = Math.max((needed + expected.ending) / share + used, kept);
        live.line(
          `No time for a verdict, which needs ${showTime(needed)} at least: about --budget ${
            showTime(enough)
          } has it; ` +
            "the search goes on instead",
        );
      }
      if (share > 0) decided = await found(end());
      if (decided[0].mean === null) {
        // Neither is there time to decide: what is left is for more trials, too.
        await searching(end());
        decided = await deciding(end());
      }
    } else {
      live.phase(`tuning ${recipe.name}, verdict`);
      verdict = await runVerdict({ ...verdictRuns, best: decided[0].configuration, seconds: end() });
    }
    const { trial: best, configuration } = decided[0];
    live.phase(`tuning ${recipe.name}, test`);
    await check();
    const [before, begun] = [runner.used, clock()];
    const trial = await runner.folderOf(configuration, recipe.seed);
    await putTuningAside(folder);
    const final = await finishBest(
      tuned,
      space,
      { ...options, configuration, seed: recipe.seed, trial },
      { ...reporter, line: () => {} },
    );
    stopped = false;
    const tuning = {
      name: recipe.name,
      seed: recipe.seed,
      search: options.search,
      seconds: { budget, used: before + clock() - begun },
      metric: runner.metric!,
      validation: recipe.validation!.from,
      resources,
      space,
      trials: live.trials,
      best: { trial: best, configuration },
      decided,
      verdict,
      final,
      testedBefore,
    };
    live.end();
    await check();
    await writeTuning(folder, tuning);
    const page = options.report ? await drawReport(folder, reporter.warning) : null;
    showTuning(folder, tuning, out, page);
  } finally {
    signal.removeEventListener("abort", stopping);
    live.end();
    if (stopped && asha.best !== null) {
      const line = describeConfiguration(trials.at(asha.best)!);
      options.tell(`The best of ${asha.begun} trials so far is ${asha.best}: ${line}`);
    }
  }
}

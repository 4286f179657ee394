import { join } from "node:path";
import { z } from "zod";
import { CHECKPOINT_FILE } from "../../core/distill/training/checkpoint.ts";
import { TrainingFailure } from "../../core/distill/stops.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, makeFolder, writeFileAtomically } from "../../core/files.ts";
import { sealJson } from "../../core/sealed_json.ts";
import type { PlannedRun } from "../experiment/outcome.ts";
import { readOwnJson } from "../support/own_json.ts";
import { showTime } from "../support/time.ts";
import { Pace } from "./pace.ts";
import type { Expected } from "./prepare.ts";
import type { Evaluated, Evaluator } from "./search.ts";
import { type Configuration, describeConfiguration } from "./space.ts";
import { showPart } from "./show.ts";
import type { TrainedTrial } from "./train_trial.ts";
import {
  noTrial,
  placeOf,
  readTrial,
  type RecipeOf,
  type TrialRecord,
  type Tried,
  writeTrial,
} from "./trial_record.ts";
import type { Trialling } from "./trial_runner.ts";

/** Others that train trials. */
export interface TrialExecutor {
  /** Trains a run to its end. Returns what it came to, or why it was given up and whether its recipe is wrong. */
  trial(
    run: PlannedRun,
    own: boolean,
  ): Promise<
    | { readonly trained: TrainedTrial | null; readonly lost: string | null }
    | { readonly told: string; readonly ofRecipe: boolean }
  >;
  /** Fetches a run's checkpoint and log into a folder. Returns whether there were any. */
  fetchTrial(run: PlannedRun, folder: string): Promise<boolean>;
  /** How many there are. */
  workers(): Promise<number>;
}

/** How trials are sent. */
export interface SentTrialsOptions {
  /** What is known of a trial has a folder in it, named by what is run. */
  readonly folder: string;
  readonly recipe: RecipeOf;
  readonly executor: TrialExecutor;
  /** Gives seconds. */
  readonly clock: () => number;
  readonly expected: Pick<Expected, "opening" | "epoch">;
  /** Seconds of the budget that are used already. */
  readonly used: number;
  readonly warn: (text: string) => void;
}

/** The file in a tuning's folder of runs that says how much of its time is gone. */
const TIME = "time.json";
const timeSchema = z.looseObject({ seconds: z.number() });

/**
 * Has others train trials, as many at once as there are workers. Wall time is what it takes of the budget. A trial that
 * a worker was stopped in goes on from its checkpoint in the store, at whichever worker.
 *
 * What a trial came to is kept in its folder here, too, as a {@link TrialRunner} does, so that a tuning that is resumed
 * knows it at once and without the others.
 */
export class SentTrials implements Trialling {
  #metric: string | null = null;
  #workers = 1;
  readonly #begun: number;
  readonly #pace: Pace;
  /** By what is tried what is known of it. */
  readonly #known = new Map<string, TrialRecord>();

  private constructor(private readonly options: SentTrialsOptions, private readonly before: number) {
    const { clock, expected, recipe, folder } = options;
    this.#begun = clock();
    this.#pace = new Pace(expected, (configuration) => recipe(configuration, 0, folder).value.train.epochs);
  }

  /** Reads what is known from before. */
  static async open(options: SentTrialsOptions): Promise<SentTrials> {
    const { folder, used, executor } = options;
    await makeFolder(folder, "the folder of trials");
    const file = join(folder, TIME);
    const time = await readOwnJson(file, "the time of a tuning", timeSchema, `remove "${file}"`);
    const trials = new SentTrials(options, Math.max(used, time?.seconds ?? 0));
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const record = isDirectory ? await readTrial(join(folder, name)) : null;
      if (record && await isOf(record, join(folder, name), options)) {
        trials.#known.set(keyOf(record), record);
      }
    }
    trials.#workers = await executor.workers();
    return trials;
  }

  get used(): number {
    return this.before + this.options.clock() - this.#begun;
  }

  get ratio(): number {
    return this.#pace.ratio;
  }

  get metric(): string | null {
    return this.#metric;
  }

  with(seed: number): Evaluator<Configuration> {
    return {
      evaluate: (configuration, resource) => this.#evaluate({ configuration, seed, resource }),
      seconds: (configuration, resource) =>
        this.#answer({ configuration, seed, resource }) ? 0 : this.#pace.seconds(configuration, resource),
      used: () => this.used + this.#pace.late,
      workers: () => this.#workers,
    };
  }

  async folderOf(configuration: Configuration, seed: number): Promise<string> {
    const { folder: own, recipe, executor, expected, warn } = this.options;
    const { folder, recipe: run } = await placeOf(own, recipe, { configuration, seed, resource: 1 });
    // One that was trained here has it here.
    if (await kindOfPath(join(folder, CHECKPOINT_FILE)) !== null) return folder;
    const fetched = join(folder, "fetched");
    const isThere = await executor.fetchTrial({ recipe: run, title: "the best" }, fetched) ||
      await kindOfPath(join(fetched, CHECKPOINT_FILE)) !== null;
    if (!isThere) {
      const seconds = expected.opening + run.value.train.epochs * expected.epoch;
      warn(
        "the store has no checkpoint of the best trial any more: it is trained anew on this machine, beyond the budget, " +
          `which takes about ${showTime(seconds)}`,
      );
    }
    return fetched;
  }

  /** What is known of a trial. */
  #answer(tried: Tried): Evaluated | null {
    const { score = null, lost = null } = this.#known.get(keyOf(tried)) ?? {};
    if (score !== null) return { score };
    return lost === null ? null : { lost };
  }

  async #evaluate(tried: Tried): Promise<Evaluated> {
    const { folder: all, recipe: recipeOf, executor, clock } = this.options;
    const { configuration, seed, resource } = tried;
    const known = this.#answer(tried);
    if (known) {
      this.#metric ??= this.#known.get(keyOf(tried))!.metric;
      return known;
    }
    const begun = clock();
    const took = this.#pace.begin(configuration, resource);
    const { folder, recipe } = await placeOf(all, recipeOf, tried);
    const own = Object.keys(configuration).length === 0;
    const part = resource === 1 ? "" : `, ${showPart(resource)} of its length`;
    const title = `${describeConfiguration(configuration)}, seed ${seed}${part}`;
    const outcome = await executor.trial({ recipe, title }, own);
    this.#workers = await executor.workers().catch(() => this.#workers);
    if ("told" in outcome) {
      // Others may do it another time: nothing is kept.
      if (!own) return { lost: outcome.told, givenUp: true };
      const sentence = `Cannot tune "${recipe.value.name}": the recipe as it is was ${outcome.told}`;
      if (outcome.ofRecipe) throw new UserError(sentence);
      throw new TrainingFailure(`${sentence}; the same command with --resume tries it again`);
    }
    const seconds = clock() - begun;
    const { trained, lost } = outcome;
    if (trained) {
      this.#metric = trained.metric;
      took(seconds);
    }
    const record = { ...noTrial(tried), metric: this.#metric, score: trained?.score ?? null, lost, seconds };
    this.#known.set(keyOf(tried), record);
    await writeTrial(folder, record);
    await writeFileAtomically(join(all, TIME), await sealJson({ seconds: this.used }));
    return trained ? { score: trained.score } : { lost: lost! };
  }
}

/** Whether a record is of what its configuration means now: a space that was edited may have an option mean another. */
async function isOf(
  tried: TrialRecord,
  at: string,
  { folder: all, recipe }: SentTrialsOptions,
): Promise<boolean> {
  try {
    return (await placeOf(all, recipe, tried)).folder === at;
  } catch (error) {
    // An option that is gone, or that recipes can no longer have.
    if (error instanceof RangeError || error instanceof UserError) return false;
    throw error;
  }
}

const keyOf = ({ configuration, seed, resource }: Tried) => JSON.stringify([configuration, seed, resource]);

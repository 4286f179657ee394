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
import type { TrainedPart } from "./train_part.ts";
import { noTrial, placeOf, readTrial, type RecipeOf, type TrialRecord, writeTrial } from "./trial_record.ts";
import type { Trialling } from "./trial_runner.ts";

/** Others that train parts of runs. */
export interface PartExecutor {
  /** Trains a run up to an epoch. Returns what it came to, or why it was given up and whether its recipe is wrong. */
  part(
    run: PlannedRun,
    epochs: number,
    own: boolean,
  ): Promise<
    | { readonly trained: TrainedPart | null; readonly lost: string | null }
    | { readonly told: string; readonly ofRecipe: boolean }
  >;
  /** Fetches a run's checkpoint and log into a folder. Returns whether there were any. */
  fetchParts(run: PlannedRun, folder: string): Promise<boolean>;
  /** How many there are. */
  workers(): Promise<number>;
}

/** How trials are sent. */
export interface SentTrialsOptions {
  /** What is known of a trial has a folder in it, named by what is run. */
  readonly folder: string;
  readonly recipe: RecipeOf;
  readonly executor: PartExecutor;
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
 * goes on does so from its checkpoint in the store, at whichever worker.
 *
 * What a trial came to is kept in its folder here, too, as a {@link TrialRunner} does, so that a tuning that is resumed
 * knows it at once and without the others.
 */
export class SentTrials implements Trialling {
  #metric: string | null = null;
  #workers = 1;
  readonly #begun: number;
  readonly #pace: Pace;
  /** By configuration and seed what is known of a trial. */
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
        trials.#known.set(keyOf(record.configuration, record.seed), record);
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
      evaluate: (configuration, resource, from) => this.#evaluate(configuration, seed, resource, from),
      seconds: (configuration, resource, from) =>
        this.#answer(configuration, seed, resource) ? 0 : this.#pace.seconds(configuration, resource, from),
      used: () => this.used + this.#pace.late,
      workers: () => this.#workers,
    };
  }

  async folderOf(configuration: Configuration, seed: number): Promise<string> {
    const { folder: own, recipe, executor, expected, warn } = this.options;
    const { folder, recipe: run } = await placeOf(own, recipe, configuration, seed);
    // One that was trained here has it here.
    if (await kindOfPath(join(folder, CHECKPOINT_FILE)) !== null) return folder;
    const fetched = join(folder, "fetched");
    const isThere = await executor.fetchParts({ recipe: run, title: "the best" }, fetched) ||
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

  /** What is known of a trial at a part of its training. */
  #answer(configuration: Configuration, seed: number, resource: number): Evaluated | null {
    const record = this.#known.get(keyOf(configuration, seed));
    if (!record) return null;
    const epochs = this.#pace.epochsOf(configuration, resource);
    const reached = record.reached.find((reached) => reached.epochs === epochs) ??
      record.reached.find((reached) => reached.ended && reached.epochs < epochs);
    if (reached) return { score: reached.score };
    return record.lost === null ? null : { lost: record.lost };
  }

  async #evaluate(configuration: Configuration, seed: number, resource: number, from: number): Promise<Evaluated> {
    const { folder: all, recipe: recipeOf, executor, clock } = this.options;
    const known = this.#answer(configuration, seed, resource);
    if (known) {
      this.#metric ??= this.#known.get(keyOf(configuration, seed))!.metric;
      return known;
    }
    const begun = clock();
    const [epochs, before] = [resource, from].map((part) => this.#pace.epochsOf(configuration, part));
    const took = this.#pace.begin(configuration, epochs - before);
    const { folder, recipe } = await placeOf(all, recipeOf, configuration, seed);
    const own = Object.keys(configuration).length === 0;
    const title = `${describeConfiguration(configuration)}, seed ${seed}`;
    const outcome = await executor.part({ recipe, title }, epochs, own);
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
    const record = this.#known.get(keyOf(configuration, seed)) ?? noTrial(configuration, seed);
    const whole = record.seconds + seconds;
    const reached = trained ? [{ epochs, score: trained.score, ended: trained.ended, seconds: whole }] : [];
    const next: TrialRecord = {
      ...record,
      metric: this.#metric,
      reached: [...record.reached, ...reached].toSorted((a, b) => a.epochs - b.epochs),
      lost,
      seconds: whole,
    };
    this.#known.set(keyOf(configuration, seed), next);
    await writeTrial(folder, next);
    await writeFileAtomically(join(all, TIME), await sealJson({ seconds: this.used }));
    return trained ? { score: trained.score } : { lost: lost! };
  }
}

/** Whether a record is of what its configuration means now: a space that was edited may have an option mean another. */
async function isOf(
  { configuration, seed }: TrialRecord,
  at: string,
  { folder: all, recipe }: SentTrialsOptions,
): Promise<boolean> {
  try {
    return (await placeOf(all, recipe, configuration, seed)).folder === at;
  } catch (error) {
    // An option that is gone, or that recipes can no longer have.
    if (error instanceof RangeError || error instanceof UserError) return false;
    throw error;
  }
}

const keyOf = (configuration: Configuration, seed: number) => JSON.stringify([configuration, seed]);

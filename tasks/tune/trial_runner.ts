import type { Backend } from "../../core/backend/backend.ts";
import { Interrupted, TrainingFailure } from "../../core/distill/stops.ts";
import { UserError } from "../../core/errors.ts";
import { makeFolder } from "../../core/files.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import { isTooLarge } from "../support/of_place.ts";
import type { RunReporter } from "../support/progress.ts";
import { Pace } from "./pace.ts";
import type { Expected } from "./prepare.ts";
import type { Evaluated, Evaluator } from "./search.ts";
import type { Configuration } from "./space.ts";
import { trainTrial } from "./train_trial.ts";
import {
  noTrial,
  placeOf,
  readTrial,
  type RecipeOf,
  type TrialRecord,
  type Tried,
  writeTrial,
} from "./trial_record.ts";

/** Who has trials trained: this process, or the workers of a queue. */
export interface Trialling {
  /** Seconds of the budget that are used. */
  readonly used: number;
  /** How many times as long as by the probe runs take. */
  readonly ratio: number;
  /** The metric that scores are of, a loss by its negative; `null` before the first. */
  readonly metric: string | null;
  /** The runs of one seed, for a search. */
  with(seed: number): Evaluator<Configuration>;
  /** A folder of this machine with a trial's checkpoint and log. */
  folderOf(configuration: Configuration, seed: number): Promise<string>;
}

/** How trials are run. */
export interface TrialRunnerOptions {
  /** Each run has a folder in it, named by what is run. */
  readonly folder: string;
  /** The recipe of a configuration. */
  readonly recipe: RecipeOf;
  readonly backend: Backend;
  readonly builtins: Builtins;
  /** Is told of progress, and of warnings, of each once: most are those of all trials. */
  readonly reporter: Pick<RunReporter, "progress" | "warning">;
  readonly signal: AbortSignal;
  /** Gives seconds. */
  readonly clock: () => number;
  /** Seconds until a run's first step and of an epoch, before any is known better. */
  readonly expected: Pick<Expected, "opening" | "epoch">;
  /** Seconds of the budget that are used already. */
  readonly used: number;
}

/**
 * Runs trials one after the other. Each is a complete training; over its whole length it is what `distill` makes of its
 * recipe. One that was stopped goes on from its checkpoint.
 *
 * A run's folder is named by its content, and what was done is not done again: a second search that asks for the same
 * is answered from the folder, and is charged the seconds that it took then. So the decisions of a search that was
 * stopped are made again as they were, without a record of them.
 */
export class TrialRunner implements Trialling {
  #used: number;
  #metric: string | null = null;
  readonly #pace: Pace;
  readonly #warned = new Set<string>();
  /** Seconds of each folder that are charged already. */
  readonly #charged = new Map<string, number>();

  constructor(private readonly options: TrialRunnerOptions) {
    const { used, expected, recipe, folder } = options;
    this.#used = used;
    this.#pace = new Pace(expected, (configuration) => recipe(configuration, 0, folder).value.train.epochs);
  }

  get used(): number {
    return this.#used;
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
      seconds: (configuration, resource) => this.#pace.seconds(configuration, resource),
      used: () => this.#used + this.#pace.late,
    };
  }

  async folderOf(configuration: Configuration, seed: number): Promise<string> {
    const { folder, recipe } = this.options;
    return (await placeOf(folder, recipe, { configuration, seed, resource: 1 })).folder;
  }

  async #evaluate(tried: Tried): Promise<Evaluated> {
    const { clock, ...options } = this.options;
    const begun = clock();
    const { configuration, resource } = tried;
    const { folder, recipe } = await placeOf(options.folder, options.recipe, tried);
    const before = await readTrial(folder) ?? noTrial(tried);
    const took = this.#pace.begin(configuration, resource);
    if (before.score !== null) {
      this.#metric ??= before.metric;
      this.#charge(folder, before.seconds);
      took(before.seconds);
      return { score: before.score };
    }
    if (before.lost !== null) {
      this.#charge(folder, before.seconds);
      return { lost: before.lost };
    }
    await makeFolder(folder, "the folder of a run");
    const write = async (change: Partial<TrialRecord>) => {
      const seconds = before.seconds + clock() - begun;
      await writeTrial(folder, { ...before, seconds, ...change });
      this.#charge(folder, seconds);
      return seconds;
    };
    const own = Object.keys(configuration).length === 0;
    try {
      const { metric, score } = await trainTrial(recipe, { ...options, own, reporter: this.#reporter });
      this.#metric = metric;
      took(await write({ metric, score }));
      return { score };
    } catch (error) {
      if (error instanceof Interrupted) await write({});
      // There is no other machine, on which it might have room.
      const isLost = error instanceof TrainingFailure || !own && error instanceof UserError && isTooLarge(error);
      if (!isLost) throw error;
      const lost = error.message.split("\n", 1)[0];
      await write({ lost });
      return { lost };
    }
  }

  get #reporter(): TrialRunnerOptions["reporter"] {
    const { reporter } = this.options;
    return {
      progress: (line) => reporter.progress(line),
      warning: (text) => {
        if (!this.#warned.has(text)) reporter.warning(text);
        this.#warned.add(text);
      },
    };
  }

  /** @param seconds all that a run took so far */
  #charge(folder: string, seconds: number): void {
    this.#used += Math.max(0, seconds - (this.#charged.get(folder) ?? 0));
    this.#charged.set(folder, seconds);
  }
}

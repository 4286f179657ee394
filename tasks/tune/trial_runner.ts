import { join } from "node:path";
import { z } from "zod";
import type { Backend } from "../../core/backend/backend.ts";
import { Run } from "../../core/distill/run.ts";
import { writeRunRecipe } from "../../core/distill/run_folder.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { Interrupted, TrainingFailure } from "../../core/distill/stops.ts";
import { comparable } from "../../core/distill/training/checkpoint.ts";
import { monitorOf } from "../../core/distill/training/monitor.ts";
import { UserError } from "../../core/errors.ts";
import { makeFolder, readTextIfThere, writeFileAtomically } from "../../core/files.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { baseFrom } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { sha256 } from "../../core/sha256.ts";
import { canResume } from "../experiment/run_folder.ts";
import { parseOwnJson, readOwnJson } from "../support/own_json.ts";
import type { RunReporter } from "../support/progress.ts";
import type { Expected } from "./prepare.ts";
import type { Evaluated, Evaluator } from "./search.ts";
import type { Configuration } from "./space.ts";

/** The file of a run's folder that says how far it came. */
const RECORD = "trial.json";

const recordSchema = z.looseObject({
  configuration: z.record(z.string(), z.union([z.string(), z.number()])),
  seed: z.int(),
  /** What the scores are; `null` before the first. */
  metric: z.string().nullable(),
  /** Evaluations; a score is larger for the better, `seconds` all that it took up to there. */
  reached: z.array(z.looseObject({ epochs: z.int(), score: z.number(), seconds: z.number(), ended: z.boolean() })),
  /** Why training failed. */
  lost: z.string().nullable(),
  /** All that it took so far. */
  seconds: z.number(),
});

/** So many evaluations tell by how much the next one may be late. */
const LATEST = 8;

type TrialRecord = z.output<typeof recordSchema>;

const logSchema = z.looseObject({ validation: z.record(z.string(), z.number().nullable()) });

/** How trials are run. */
export interface TrialRunnerOptions {
  /** Each run has a folder in it, named by what is run. */
  readonly folder: string;
  /** The recipe of a configuration. */
  readonly recipe: (configuration: Configuration, seed: number, output: string) => Checked<Recipe>;
  readonly backend: Backend;
  readonly builtins: Builtins;
  /** Is told of progress alone. */
  readonly reporter: Pick<RunReporter, "progress">;
  readonly signal: AbortSignal;
  /** Gives seconds. */
  readonly clock: () => number;
  /** Seconds until a run's first step and of an epoch, before any is known better. */
  readonly expected: Pick<Expected, "opening" | "epoch">;
  /** Seconds of the budget that are used already. */
  readonly used: number;
}

/**
 * Runs trials one after the other. Each is one run, with the schedule of its whole length, which is left after some
 * epochs with a checkpoint and goes on from there: what comes out at the end is what `distill` makes of its recipe.
 *
 * A run's folder is named by its content, and what was done is not done again: a second search that asks for the same
 * is answered from the folder, and is charged the seconds that it took then. So the decisions of a search that was
 * stopped are made again as they were, without a record of them.
 */
export class TrialRunner {
  #used: number;
  #metric: string | null = null;
  /** By configuration the seconds that its runs took, and those that were expected of them. */
  readonly #taken = new Map<string, { readonly measured: number; readonly expected: number }>();
  readonly #lengths = new Map<string, number>();
  /** Seconds of each folder that are charged already. */
  readonly #charged = new Map<string, number>();

  /** Seconds that the last evaluations took longer than was expected of them. */
  readonly #late: number[] = [];

  constructor(private readonly options: TrialRunnerOptions) {
    this.#used = options.used;
  }

  /** Seconds of the budget that are used. */
  get used(): number {
    return this.#used;
  }

  /** The metric that scores are of, a loss by its negative; `null` before the first. */
  get metric(): string | null {
    return this.#metric;
  }

  /** The runs of one seed, for a search. */
  with(seed: number): Evaluator<Configuration> {
    return {
      evaluate: (configuration, resource) => this.#evaluate(configuration, seed, resource),
      seconds: (configuration, resource, from) => this.#expected(configuration, resource, from),
      used: () => this.#used + Math.max(0, ...this.#late),
    };
  }

  /** The folder of a run, and its recipe. */
  async place(configuration: Configuration, seed: number): Promise<{ folder: string; recipe: Checked<Recipe> }> {
    const { folder, recipe } = this.options;
    const { value } = recipe(configuration, seed, folder);
    const content = new TextEncoder().encode(JSON.stringify([value.backend, comparable(value)]));
    const own = join(folder, (await sha256(content)).slice(0, 12));
    return { folder: own, recipe: recipe(configuration, seed, own) };
  }

  /** Epochs of a part of a configuration's whole training. */
  epochsOf(configuration: Configuration, resource: number): number {
    const key = JSON.stringify(configuration);
    const { folder, recipe } = this.options;
    const whole = this.#lengths.get(key) ?? recipe(configuration, 0, folder).value.train.epochs;
    this.#lengths.set(key, whole);
    return resource === 0 ? 0 : Math.max(1, Math.round(whole * resource));
  }

  /** What a part of a training would take if all were like the probe. */
  #ideal(epochs: number): number {
    return this.options.expected.opening + epochs * this.options.expected.epoch;
  }

  #expected(configuration: Configuration, resource: number, from: number): number {
    return this.#foreseen(configuration, this.epochsOf(configuration, resource) - this.epochsOf(configuration, from));
  }

  /** What so many epochs take by what runs took so far, those of the same configuration if there are any. */
  #foreseen(configuration: Configuration, epochs: number): number {
    const own = this.#taken.get(JSON.stringify(configuration));
    const known = own ? [own] : [...this.#taken.values()];
    const [measured, expected] = (["measured", "expected"] as const).map((key) =>
      known.reduce((sum, taken) => sum + taken[key], 0)
    );
    return this.#ideal(epochs) * (expected > 0 ? measured / expected : 1);
  }

  async #evaluate(configuration: Configuration, seed: number, resource: number): Promise<Evaluated> {
    const begun = this.options.clock();
    const { folder, recipe } = await this.place(configuration, seed);
    const epochs = this.epochsOf(configuration, resource);
    const before = await readRecord(folder) ??
      { configuration, seed, metric: null, reached: [], lost: null, seconds: 0 };
    const earlier = before.reached.filter((reached) => reached.epochs < epochs);
    const last = earlier.at(-1) ?? { epochs: 0, seconds: 0 };
    const foreseen = this.#taken.size === 0 ? null : this.#foreseen(configuration, epochs - last.epochs);
    const charge = (seconds: number) => {
      this.#charge(folder, seconds);
      if (foreseen !== null) this.#late.unshift(seconds - last.seconds - foreseen);
      this.#late.length = Math.min(this.#late.length, LATEST);
      const key = JSON.stringify(configuration);
      const { measured, expected } = this.#taken.get(key) ?? { measured: 0, expected: 0 };
      this.#taken.set(key, {
        measured: measured + seconds - last.seconds,
        expected: expected + this.#ideal(epochs - last.epochs),
      });
    };
    const ended = earlier.find(({ ended }) => ended);
    const known = ended ?? before.reached.find((reached) => reached.epochs === epochs);
    if (known) {
      this.#metric ??= before.metric;
      if (!ended) charge(known.seconds);
      return { score: known.score };
    }
    if (before.lost !== null) {
      this.#charge(folder, before.seconds);
      return { lost: before.lost };
    }
    await makeFolder(folder, "the folder of a run");
    const write = async (change: (seconds: number) => Partial<TrialRecord>) => {
      const seconds = before.seconds + this.options.clock() - begun;
      const record = { ...before, metric: this.#metric, seconds, ...change(seconds) };
      await writeFileAtomically(join(folder, RECORD), await sealJson(record));
      return seconds;
    };
    try {
      const reached = await this.#train(recipe, epochs, Object.keys(configuration).length === 0);
      if (!Number.isFinite(reached.score)) throw new TrainingFailure(`its validation ${this.#metric} is no number`);
      charge(await write((seconds) => ({ reached: [...earlier, { epochs, ...reached, seconds }] })));
      return { score: reached.score };
    } catch (error) {
      if (error instanceof Interrupted) await write(() => ({}));
      if (!(error instanceof TrainingFailure)) throw error;
      const lost = error.message.split("\n", 1)[0];
      this.#charge(folder, await write(() => ({ lost })));
      return { lost };
    }
  }

  /** @param seconds all that a run took so far */
  #charge(folder: string, seconds: number): void {
    this.#used += Math.max(0, seconds - (this.#charged.get(folder) ?? 0));
    this.#charged.set(folder, seconds);
  }

  /**
   * Trains up to an epoch, from the checkpoint in the folder if there is one, and leaves one.
   *
   * @param isOwn whether it is the recipe as it is
   */
  async #train(recipe: Checked<Recipe>, epochs: number, isOwn: boolean): Promise<{ score: number; ended: boolean }> {
    const { backend, builtins, reporter, signal } = this.options;
    const told = { line: () => {}, warning: () => {}, progress: reporter.progress };
    const open = async () => {
      // The checkpoint's recipe has the options of plug-ins filled in.
      await resolvePlugins(recipe, builtins);
      const resume = await canResume(recipe, () => {});
      return await Run.open(recipe, { backend, builtins, resume, reporter: told, signal });
    };
    using run = await open().catch((error) => {
      // What several levers together make impossible costs the trial; what is wrong with the recipe no search mends.
      throw error instanceof UserError && !isOwn ? new TrainingFailure(error.message) : error;
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
    return { score: await this.#score(run), ended: training.finished };
  }

  /**
   * The monitored metric where a run stands. At its end that of the student which is exported; midway, where the rate
   * is high and one epoch says little, the best one so far.
   */
  async #score({ parts }: Run): Promise<number> {
    const { recipe: { value: settings }, data: { validation, dataset: { input } }, teacher, folder, training } = parts;
    const taught = teacher !== null && (!validation || teacher.knows?.(validation) !== false);
    const watched = { validation, taught };
    const metric = monitorOf(settings.train.monitor, input, watched, settings.evaluate.positiveClass);
    this.#metric = metric;
    const valueOf = (metrics: Readonly<Record<string, number | null>>) =>
      (metrics[metric] ?? NaN) * (metric === "loss" ? -1 : 1);
    const { validated } = training;
    if (training.finished && validated) return valueOf({ ...validated.metrics, loss: validated.loss });
    const file = join(folder.path, "metrics.jsonl");
    const text = await readTextIfThere(file, "the log") ?? "";
    const curve = text.split("\n").filter((line) => line.includes('"validation"')).map((line) =>
      valueOf(parseOwnJson(line, file, "the log", logSchema, `remove "${folder.path}"`).validation)
    );
    return training.finished && !settings.train.restoreBest ? curve.at(-1) ?? NaN : Math.max(...curve);
  }
}

async function readRecord(folder: string): Promise<TrialRecord | null> {
  const remedy = `remove "${folder}", and it is done anew`;
  return await readOwnJson(join(folder, RECORD), "the record of a trial", recordSchema, remedy);
}

/** Has a training write a checkpoint where it stands. */
async function leave(training: Run["parts"]["training"]): Promise<void> {
  try {
    await training.run(AbortSignal.abort());
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
}

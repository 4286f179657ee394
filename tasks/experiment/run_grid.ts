import { join } from "node:path";
import { comparable } from "../../core/distill/training/checkpoint.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { chooseByValidation, type Trial } from "./choose.ts";
import { epochsIn, secondsAnEpoch, trainingSeconds } from "./epochs_in_time.ts";
import { type Experiment, folderName, type Row, type Scalar, settingOf } from "./experiment.ts";
import { lengthened } from "./lengthen.ts";
import { finished, type Outcome, type Runner, scoreOf } from "./outcome.ts";

/** A row's results. */
export interface RowResult {
  readonly name: string;
  /** Epochs that its share of time allowed, or `null` for those of its recipe. */
  readonly epochs: number | null;
  /** What was tried and which value was chosen; `null` without tuning. */
  readonly tuned: { readonly chosen: Scalar | null; readonly trials: readonly Trial[] } | null;
  /** One for each seed, with the chosen value; none if tuning found no value that trains. */
  readonly runs: readonly Outcome[];
  /** The same with the common value; `null` if there is none. */
  readonly common: readonly Outcome[] | null;
  /** One for each fresh seed, with the chosen value, of a row that was confirmed. */
  readonly confirmed?: readonly Outcome[];
}

/**
 * Does all runs of an experiment: for each row those that tune it, then one for each seed. A recipe that occurs in
 * several rows is run once.
 *
 * @param output the experiment's folder
 * @param run does one run
 * @throws UserError for a mistake in a row's recipe, before the first run
 */
export async function runGrid(experiment: Experiment, output: string, run: Runner): Promise<RowResult[]> {
  checkRows(experiment);
  const grid = new Grid(experiment, output, run);
  const results = new Map<string, RowResult>();
  // Rows that are given another's time come after it, wherever they stand in the file.
  for (const timed of [false, true]) {
    for (const row of experiment.rows.filter(({ equalSeconds }) => (equalSeconds !== null) === timed)) {
      results.set(row.name, await grid.row(row, results));
    }
  }
  return experiment.rows.map(({ name }) => results.get(name)!);
}

/**
 * Reads every recipe once, so that a mistake does not come out after an hour.
 *
 * @throws UserError for a mistake in one
 */
export function checkRows({ rows, seeds, tune }: Experiment): void {
  for (const row of rows) {
    const recipes = tune
      ? [...tune.values, ...(tune.common === null ? [] : [tune.common])].map((value) =>
        row.recipe([seedChange(seeds[0]), tune.change(value)])
      )
      : [row.recipe([seedChange(seeds[0])])];
    const { validation, train } = recipes[0].value;
    if (tune && validation === null) {
      throw row.error(`Cannot tune ${tune.key} for "${row.name}" without validation examples: its validation is null`);
    }
    if (row.equalSeconds !== null && train.maxSteps !== null) {
      throw row.error(
        `Cannot give "${row.name}" the time of "${row.equalSeconds}" in epochs: train.maxSteps must be null`,
      );
    }
  }
}

const seedChange = (seed: number): Override => ({ path: ["seed"], value: seed, label: `seed ${seed}` });

class Grid {
  /** Runs by what they compute. */
  readonly #done = new Map<string, Outcome>();

  constructor(
    private readonly experiment: Experiment,
    private readonly output: string,
    private readonly run: Runner,
  ) {}

  async row(row: Row, others: ReadonlyMap<string, RowResult>): Promise<RowResult> {
    const { seeds, tune } = this.experiment;
    const epochs = row.equalSeconds === null ? null : await this.#epochsFor(row, others.get(row.equalSeconds)!);
    const changes: Override[] = epochs === null
      ? []
      : lengthened(row.recipe([]).value, epochs, `equalSeconds of "${row.name}"`);
    if (!tune) {
      const runs = await this.#runs(row, null, seeds, changes);
      return { name: row.name, epochs, tuned: null, runs, common: null };
    }
    const trials: Trial[] = [];
    for (const value of tune.values) {
      const outcomes = await this.#runs(row, value, tune.seeds, changes);
      const done = finished(outcomes);
      trials.push({
        value,
        validation: done.map(({ summary }) => scoreOf(summary.student.validationMetrics)),
        failed: outcomes.length - done.length,
      });
    }
    const chosen = chooseByValidation(trials);
    const runs = chosen === null ? [] : await this.#runs(row, chosen, seeds, changes);
    const common = tune.common === null ? null : await this.#runs(row, tune.common, seeds, changes);
    return { name: row.name, epochs, tuned: { chosen, trials }, runs, common };
  }

  /** Whole epochs of this row in the other's mean training time, by runs of this row with its recipe's own epochs. */
  async #epochsFor(row: Row, other: RowResult): Promise<number> {
    const { tune, seeds } = this.experiment;
    const pilots = finished(await this.#runs(row, tune && tune.values[0], tune ? tune.seeds : seeds.slice(0, 1), []));
    const targets = finished(other.runs);
    if (pilots.length === 0 || targets.length === 0) {
      const failed = pilots.length === 0 ? row.name : other.name;
      throw row.error(`Cannot give "${row.name}" the time of "${other.name}": the training of "${failed}" failed`);
    }
    return Math.max(1, epochsIn(trainingSeconds(targets), secondsAnEpoch(pilots)));
  }

  async #runs(
    row: Row,
    value: Scalar | null,
    seeds: readonly number[],
    changes: readonly Override[],
  ): Promise<Outcome[]> {
    const { tune } = this.experiment;
    const setting = tune && value !== null ? settingOf(tune, value) : null;
    const outcomes: Outcome[] = [];
    for (const seed of seeds) {
      const parts = [row.folder, ...(setting === null ? [] : [folderName(setting)]), `seed-${seed}`];
      // A timed row's pilot runs have the recipe's own epochs, and must not lie where its real ones do.
      if (row.equalSeconds !== null && changes.length === 0) parts.splice(1, 0, "pilot");
      const recipe = row.recipe([
        ...(value === null ? [] : [tune!.change(value)]),
        ...changes,
        seedChange(seed),
        { path: ["output"], value: join(this.output, ...parts), label: "--output" },
      ]);
      outcomes.push(await this.#once(recipe, [row.name, ...(setting ? [setting] : []), `seed ${seed}`].join(", ")));
    }
    return outcomes;
  }

  async #once(recipe: Checked<Recipe>, title: string): Promise<Outcome> {
    const { backend } = recipe.value;
    const key = JSON.stringify([recipe.file, backend, comparable(recipe.value)]);
    const outcome = this.#done.get(key) ?? await this.run(recipe, title);
    this.#done.set(key, outcome);
    return outcome;
  }
}

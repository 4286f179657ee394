import { join } from "node:path";
import type { Override } from "../../core/recipe/overrides.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import { chooseByValidation, type Trial } from "./choose.ts";
import { epochsIn, secondsAnEpoch, trainingSeconds } from "./epochs_in_time.ts";
import { type Experiment, folderName, type Row, type Scalar, settingOf } from "./experiment.ts";
import { lengthened } from "./lengthen.ts";
import { type Executor, executorOf, finished, type Outcome, type PlannedRun, type Runner, scoreOf } from "./outcome.ts";
import { content } from "./run_folder.ts";

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
 * @param executor what does the runs; a function does one after another
 * @throws UserError for a mistake in a row's recipe, before the first run
 */
export async function runGrid(
  experiment: Experiment,
  output: string,
  executor: Runner | Executor,
): Promise<RowResult[]> {
  checkRows(experiment);
  const grid = new Grid(experiment, output, executorOf(executor));
  const results = new Map<string, Promise<RowResult>>();
  // Rows that are given another's time come after it, wherever they stand in the file.
  const [plain, timed] = [false, true].map((timed) =>
    experiment.rows.filter(({ equalSeconds }) => (equalSeconds !== null) === timed)
  );
  await grid.each([...plain, ...timed], (row) => {
    const result = grid.row(row, results);
    results.set(row.name, result);
    return result;
  });
  return await Promise.all(experiment.rows.map(({ name }) => results.get(name)!));
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
    if (row.equalSeconds !== null && tune?.key === "train.epochs") {
      throw row.error(
        `Cannot tune train.epochs beside "${row.name}", whose length is the time of "${row.equalSeconds}"`,
      );
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
  readonly #done = new Map<string, Promise<Outcome>>();

  constructor(
    private readonly experiment: Experiment,
    private readonly output: string,
    private readonly executor: Executor,
  ) {}

  /** What a body gives for each of some items: for all at once, or for one after another, as runs are done. */
  async each<Item, Result>(items: readonly Item[], body: (item: Item) => Promise<Result>): Promise<Result[]> {
    if (this.executor.atOnce) return await Promise.all(items.map(body));
    const results: Result[] = [];
    for (const item of items) results.push(await body(item));
    return results;
  }

  async row(row: Row, others: ReadonlyMap<string, Promise<RowResult>>): Promise<RowResult> {
    const { seeds, tune } = this.experiment;
    const epochs = row.equalSeconds === null ? null : await this.#epochsFor(row, others.get(row.equalSeconds)!);
    const changes: Override[] = epochs === null
      ? []
      : lengthened(row.recipe([]).value, epochs, `equalSeconds of "${row.name}"`);
    if (!tune) {
      const runs = await this.#runs(row, null, seeds, changes);
      return { name: row.name, epochs, tuned: null, runs, common: null };
    }
    await this.executor.foresee?.({
      title: row.name,
      values: tune.values.map((value) => ({
        value,
        trials: this.#planned(row, value, tune.seeds, changes),
        runs: this.#planned(row, value, seeds, changes),
      })),
    });
    const trials = await this.each(tune.values, async (value): Promise<Trial> => {
      const outcomes = await this.#runs(row, value, tune.seeds, changes);
      const done = finished(outcomes);
      return {
        value,
        validation: done.map(({ summary }) => scoreOf(summary.student.validationMetrics)),
        failed: outcomes.length - done.length,
      };
    });
    const chosen = chooseByValidation(trials);
    const runs = chosen === null ? [] : await this.#runs(row, chosen, seeds, changes);
    const common = tune.common === null ? null : await this.#runs(row, tune.common, seeds, changes);
    return { name: row.name, epochs, tuned: { chosen, trials }, runs, common };
  }

  /** Whole epochs of this row in the other's mean training time, by runs of this row with its recipe's own epochs. */
  async #epochsFor(row: Row, whole: Promise<RowResult>): Promise<number> {
    const { tune, seeds } = this.experiment;
    const pilots = finished(await this.#runs(row, tune && tune.values[0], tune ? tune.seeds : seeds.slice(0, 1), []));
    const other = await whole;
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
    return await this.each(this.#planned(row, value, seeds, changes), (run) => this.#once(run));
  }

  #planned(row: Row, value: Scalar | null, seeds: readonly number[], changes: readonly Override[]): PlannedRun[] {
    const { tune } = this.experiment;
    const setting = tune && value !== null ? settingOf(tune, value) : null;
    return seeds.map((seed) => {
      const parts = [row.folder, ...(setting === null ? [] : [folderName(setting)]), `seed-${seed}`];
      // A timed row's pilot runs have the recipe's own epochs, and must not lie where its real ones do.
      if (row.equalSeconds !== null && changes.length === 0) parts.splice(1, 0, "pilot");
      const recipe = row.recipe([
        // A tuned length is not stretched with the others.
        ...changes,
        ...(value === null ? [] : [tune!.change(value)]),
        seedChange(seed),
        { path: ["output"], value: join(this.output, ...parts), label: "--output" },
      ]);
      return { recipe, title: [row.name, ...(setting ? [setting] : []), `seed ${seed}`].join(", ") };
    });
  }

  #once({ recipe, title }: PlannedRun): Promise<Outcome> {
    // The files that a recipe names are relative to its base.
    const key = JSON.stringify([resolveFile(recipe, "."), content(recipe.value)]);
    const outcome = this.#done.get(key) ?? this.executor.run(recipe, title);
    this.#done.set(key, outcome);
    return outcome;
  }
}

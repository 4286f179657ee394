import type { Override } from "../../core/recipe/overrides.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { type Experiment, folderName, type Row } from "./experiment.ts";
import { pickSmallest, type SweepPoint } from "./pick.ts";
import { rowStatistics } from "./row_statistics.ts";
import type { RowResult } from "./run_grid.ts";
import type { Conclusion } from "./run_experiment.ts";

/** The key whose values a sweep tries for each number of cores. */
const RATE = "train.optimiser.learningRate";

/** The values that a sweep tries. */
export interface SweepGrid {
  readonly cores: readonly number[];
  /** Learning rates; `null`: half, once and twice the recipe's. */
  readonly rates: readonly number[] | null;
  readonly seeds: readonly number[];
}

/**
 * The experiment of a sweep: a row for each number of cores, its learning rate tuned on validation over all seeds.
 *
 * @param base the recipe as a row
 * @throws UserError for a recipe that over-parameterises nothing
 */
export function sweepExperiment(base: Row, { cores, rates, seeds }: SweepGrid): Experiment {
  const recipe = base.recipe([]);
  const { student: { overParameterise }, train: { optimiser: { learningRate } } } = recipe.value;
  if (overParameterise.length === 0) {
    throw recipe.error(["student"], "Cannot sweep the number of cores: student.overParameterise names no weights");
  }
  const other = overParameterise.findIndex(({ use }) => use !== "mpo");
  if (other >= 0) {
    throw recipe.error(
      ["student", "overParameterise", other],
      `Cannot sweep the number of cores: expected use: mpo, got use: ${overParameterise[other].use}, which has none`,
    );
  }
  const rows = cores.map((count): Row => {
    const name = `n = ${count}`;
    const change = coresChange(overParameterise, count);
    const evaluated: Override = { path: ["evaluate", "train"], value: true, label: "sweep" };
    return {
      ...base,
      name,
      folder: folderName(`n=${count}`),
      recipe: (changes) => base.recipe([change, evaluated, ...changes]),
    };
  });
  const values = rates ?? [0.5, 1, 2].map((factor) => +(factor * learningRate).toPrecision(6));
  const tune = {
    key: RATE,
    values,
    seeds,
    common: null,
    change: (value: unknown): Override => ({ path: RATE.split("."), value, label: `--rates ${value}` }),
  };
  return { name: `sweep-${base.folder}`, rows, seeds, baseline: rows[0].name, tune, resample: null };
}

/** All chains with so many cores, whatever their shape was given by. */
function coresChange(entries: Recipe["student"]["overParameterise"], cores: number): Override {
  const value = entries.map(({ layers, gauge }) => ({ layers, cores, gauge }));
  return { path: ["student", "overParameterise"], value, label: `--cores ${cores}` };
}

/**
 * The conclusions of a sweep: the number of cores to take, and warnings.
 *
 * @param tolerance in points
 */
export function concludeSweep(experiment: Experiment, results: readonly RowResult[], tolerance: number): Conclusion {
  const lines = rowStatistics(experiment, results);
  const points = lines.flatMap(({ name, validation, parameterIncreaseRate }): SweepPoint[] =>
    validation ? [{ name, increaseRate: parameterIncreaseRate!, score: 100 * validation.mean }] : []
  );
  // A number of cores that trains half of the time is not the one to take.
  const unsound = lines.filter(({ validation, failed }) => validation && failed > 0).map(({ name }) => name);
  const sound = points.filter(({ name }) => !unsound.includes(name));
  const gaps = lines.flatMap(({ name, train, validation }) =>
    train && validation ? [`${name} ${(100 * (train.mean - validation.mean)).toFixed(2)}`] : []
  );
  const pick = points.length > 0 ? pickSmallest(sound.length > 0 ? sound : points, tolerance) : null;
  const notes = [
    ...(gaps.length > 0 ? [`Gap from training to validation in points: ${gaps.join(", ")}.`] : []),
    pick ? `${pick.reason}.` : "Nothing is picked: no run came to its end.",
    ...(unsound.length === 0
      ? []
      : sound.length === 0
      ? ["Warning: of every number of cores some trainings did not come to their end, that of the pick too."]
      : [`Left out of the pick, as some of their trainings did not come to their end: ${unsound.join(", ")}.`]),
    ...(experiment.tune!.values.length === 1
      ? ["Warning: all rows have one learning rate, but the best one falls as n grows: give --rates several."]
      : []),
  ];
  return { notes, tolerance, picked: pick };
}

import type { Checked } from "../../core/recipe/checked.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import type { UserError } from "../../core/errors.ts";
import type { Budget } from "./budgets.ts";

/** A value that is tuned. */
export type Scalar = number | string | boolean;

/** A row of an experiment's table. */
export interface Row {
  readonly name: string;
  /** Its folder within the experiment's. */
  readonly folder: string;
  /** The row whose training time this one is given, or `null`. */
  readonly equalSeconds: string | null;
  /** Its recipe with further changes. @throws UserError for a mistake in it */
  recipe(changes: readonly Override[]): Checked<Recipe>;
  /** An error about the row, to be thrown. */
  error(sentence: string): UserError;
}

/** A value of the recipe that is chosen for each row on the validation examples. */
export interface Tuning {
  /** For people: `train.optimiser.learningRate`. */
  readonly key: string;
  readonly values: readonly Scalar[];
  readonly seeds: readonly number[];
  /** A value that all rows are also run with, or `null`. */
  readonly common: Scalar | null;
  /** Sets the value in a recipe. */
  change(value: Scalar): Override;
}

/** A grid of runs. */
export interface Experiment {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly seeds: readonly number[];
  /** Name of the row that the others are held against. */
  readonly baseline: string;
  readonly tune: Tuning | null;
  /** Part of the training examples that each seed draws anew, or `null`. */
  readonly resample: number | null;
  /** How long each row trains, from the shortest; left out: as its recipe says. */
  readonly budgets?: readonly Budget[];
  /** Seeds that no choice has seen, for rows that differ from the baseline by more than noise; left out: none. */
  readonly confirm?: readonly number[];
}

/** A tuned value for people, and for the folder of its runs: `learningRate=0.1`. */
export function settingOf({ key }: Tuning, value: Scalar): string {
  return `${key.split(".").at(-1)}=${value}`;
}

/** The part of a name that can be one of a file, on every system. */
export function folderName(name: string): string {
  return name.replaceAll(/[^\w.=-]+/g, "-").replaceAll(/^[.-]+|[.-]+$/g, "") || "row";
}

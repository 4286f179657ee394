import type { RunSummary } from "../../core/distill/summary/summary.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { counted } from "../support/format.ts";
import { alignColumns } from "../support/table.ts";
import { secondsAnEpoch } from "./epochs_in_time.ts";
import type { Experiment } from "./experiment.ts";
import { finished, type FinishedRun, type Outcome, type Runner } from "./outcome.ts";
import { runBudgets } from "./run_budgets.ts";
import { showTime } from "../support/time.ts";

/** What a row of an experiment is still to do. */
export interface RowPlan {
  readonly name: string;
  /** Runs that are not done. */
  readonly runs: number;
  /** Runs that are. */
  readonly done: number;
  /** Epochs of those that are not. */
  readonly epochs: number;
  /** Seconds of training that an epoch takes, by what is done or a trial; `null` where nothing is to do. */
  readonly perEpoch: number | null;
}

/** What an experiment is still to do. */
export interface Plan {
  readonly rows: readonly RowPlan[];
  /** Runs and seconds at most, if all rows win or lose; `null` where nothing is to be confirmed. */
  readonly confirm: { readonly runs: number; readonly seconds: number } | null;
}

/** What a plan asks for. */
export interface PlanSetup {
  /** What is there of a run; `null` if it is not done. */
  readonly find: (recipe: Checked<Recipe>) => Promise<Outcome | null>;
  /** Seconds of training that an epoch of a recipe takes, by a trial; called once for each row. */
  readonly time: (recipe: Checked<Recipe>, row: string) => Promise<number>;
}

/**
 * What an experiment is still to do: its grid is gone through as it will be, with runs that are not done made up. Which
 * value a row will be tuned to is not known before; its final runs take as long with any.
 *
 * @param output the experiment's folder
 * @throws UserError for a mistake in a row's recipe
 */
export async function planOf(experiment: Experiment, output: string, { find, time }: PlanSetup): Promise<Plan> {
  const rowOf = new WeakMap<Checked<Recipe>, string>();
  const rows = experiment.rows.map((row) => ({
    ...row,
    recipe: (changes: Parameters<typeof row.recipe>[0]) => {
      const recipe = row.recipe(changes);
      rowOf.set(recipe, row.name);
      return recipe;
    },
  }));
  const plans = new Map(rows.map(({ name }) => [name, { name, runs: 0, done: 0, epochs: 0, trial: 0 }]));
  const found = new Map<string, FinishedRun[]>(rows.map(({ name }) => [name, []]));
  const planned = new Map<string, Outcome>();
  const secondsOf = async (row: string, recipe: Checked<Recipe>) => {
    const done = found.get(row)!;
    if (done.length > 0) return secondsAnEpoch(done);
    const plan = plans.get(row)!;
    plan.trial ||= await time(recipe, row);
    return plan.trial;
  };
  const run: Runner = async (recipe) => {
    const { output, seed, train: { epochs } } = recipe.value;
    const before = planned.get(output);
    if (before) return before;
    const row = rowOf.get(recipe)!;
    const done = await find(recipe);
    const plan = plans.get(row)!;
    plan.done += done ? 1 : 0;
    plan.runs += done ? 0 : 1;
    plan.epochs += done ? 0 : epochs;
    found.get(row)!.push(...done ? finished([done]) : []);
    const outcome = done ?? madeUp(output, seed, epochs, epochs * await secondsOf(row, recipe));
    planned.set(output, outcome);
    return outcome;
  };
  const { confirm, ...grid } = experiment;
  const parts = await runBudgets({ ...grid, rows }, output, run);
  const perEpoch = (row: string) => {
    const done = found.get(row)!;
    return done.length > 0 ? secondsAnEpoch(done) : plans.get(row)!.trial || null;
  };
  const fresh = parts.flatMap(({ experiment: { rows }, results }) =>
    rows.map(({ name, recipe }) => {
      // A row with another's time has as many epochs as that allows.
      const epochs = results.find((result) => result.name === name)?.epochs ?? recipe([]).value.train.epochs;
      return epochs * (perEpoch(name) ?? 0);
    })
  );
  return {
    rows: [...plans.values()].map(({ trial: _trial, ...plan }) => ({ ...plan, perEpoch: perEpoch(plan.name) })),
    confirm: confirm
      ? { runs: confirm.length * fresh.length, seconds: confirm.length * fresh.reduce((sum, each) => sum + each, 0) }
      : null,
  };
}

/** A run that came to its end, of which nothing but its length is known. */
function madeUp(folder: string, seed: number, epochs: number, seconds: number): FinishedRun {
  const student = { metrics: {}, validationMetrics: {}, trainMetrics: null };
  const summary = { student, seconds: { train: seconds, total: seconds }, epochs };
  return { folder, seed, summary: summary as unknown as RunSummary, diagnostics: [] };
}

/** A plan as lines for people. */
export function describePlan(name: string, { rows, confirm }: Plan): string[] {
  const known = rows.map((row) => ({ ...row, seconds: row.epochs * (row.perEpoch ?? 0) }));
  const [runs, done, seconds] = (["runs", "done", "seconds"] as const).map((key) =>
    known.reduce((sum, row) => sum + row[key], 0)
  );
  const table = known.map(({ name, runs, done, epochs, perEpoch, seconds }) => [
    name,
    String(runs),
    String(done),
    String(epochs),
    perEpoch === null ? "-" : `${perEpoch.toFixed(2)} s`,
    showTime(seconds),
  ]);
  const more = confirm === null
    ? []
    : [`to confirm rows that win or lose: at most ${counted(confirm.runs, "run")}, about ${showTime(confirm.seconds)}`];
  return [
    `dry run of ${name}: no run was written`,
    ...alignColumns([["row", "runs to do", "done", "epochs to do", "an epoch", "training"], ...table], [
      "left",
      "right",
    ]),
    `in all ${counted(runs, "run")} to do, ${done} done: about ${
      showTime(seconds)
    } of training; loading, validation and ` +
    "tests beside it",
    ...more,
  ];
}

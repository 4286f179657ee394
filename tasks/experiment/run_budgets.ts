import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import type { Budget } from "./budgets.ts";
import { confirmed } from "./confirm.ts";
import { epochsIn, secondsAnEpoch } from "./epochs_in_time.ts";
import type { Experiment, Row } from "./experiment.ts";
import { lengthenedRow, tunedRow } from "./fixed_row.ts";
import { asPart, type Executor, executorOf, finished, type Runner } from "./outcome.ts";
import { checkRows, type RowResult, runGrid } from "./run_grid.ts";

/** An experiment at one of its budgets. */
export interface BudgetPart {
  /** `null` of an experiment that has none. */
  readonly budget: Budget | null;
  /** The experiment with the rows as they are at this budget. */
  readonly experiment: Experiment;
  readonly results: readonly RowResult[];
  /** Rows that have no time for an epoch, and what one takes. */
  readonly leftOut: readonly { readonly name: string; readonly seconds: number }[];
}

/**
 * Does all runs of an experiment, budget by budget from the shortest: at each every row is tuned and run as a complete
 * training of that length, and confirmed where the experiment says so. Runs lie by their number of epochs, so that
 * another list of budgets finds those that are done.
 *
 * @param output the experiment's folder
 * @param executor what does the runs; a function does one after another
 * @throws UserError for a mistake in a row's recipe, before the first run
 */
export async function runBudgets(
  experiment: Experiment,
  output: string,
  executor: Runner | Executor,
): Promise<BudgetPart[]> {
  checkGrid(experiment);
  const { budgets } = experiment;
  const results = async (part: Experiment, executor: Runner | Executor) =>
    await confirmed(part, await runGrid(part, output, executor), output, executor);
  if (!budgets) return [{ budget: null, experiment, results: await results(experiment, executor), leftOut: [] }];
  const epochs = budgets[0].of === "seconds" ? await timedEpochs(experiment, output, executor) : multiple;
  const at = async (budget: Budget): Promise<BudgetPart> => {
    const lengths = new Map(experiment.rows.map((row) => [row, epochs(row, budget)]));
    const rows = experiment.rows.flatMap((row) => {
      const { epochs } = lengths.get(row)!;
      return epochs < 1 ? [] : [rowAt(row, epochs, `the budget ${budget.name}`)];
    });
    const leftOut = experiment.rows.filter((row) => lengths.get(row)!.epochs < 1).map((row) => {
      return { name: row.name, seconds: lengths.get(row)!.seconds! };
    });
    if (rows.length === 0) {
      const quickest = leftOut.reduce((a, b) => a.seconds < b.seconds ? a : b);
      throw new UserError(
        `Cannot train any row for ${budget.name}: an epoch of the quickest, "${quickest.name}", takes ` +
          `${quickest.seconds.toFixed(1)} s; give a longer budget`,
      );
    }
    const { budgets: _all, ...rest } = experiment;
    const part = { ...rest, name: `${experiment.name} at ${budget.name}`, rows };
    const told = await results(part, asPart(executor, `${budget.name}: `));
    const timed = told.map((result) => {
      const { epochs, seconds } = lengths.get(experiment.rows.find(({ name }) => name === result.name)!)!;
      return seconds === null ? result : { ...result, epochs };
    });
    return { budget, experiment: part, results: timed, leftOut };
  };
  if (executorOf(executor).atOnce) return await Promise.all(budgets.map(at));
  const parts: BudgetPart[] = [];
  for (const budget of budgets) parts.push(await at(budget));
  return parts;
}

/**
 * Reads every recipe once, as `checkRows` does, at each budget.
 *
 * @throws UserError for a mistake in one, or a row that cannot have the budgets
 */
export function checkGrid(experiment: Experiment): void {
  const { budgets, tune, rows } = experiment;
  checkRows(experiment);
  if (!budgets) return;
  const length = ["train.epochs", "train.maxSteps"].find((key) => key === tune?.key);
  if (length) throw rows[0].error(`Cannot tune ${length} beside budgets, which say how long each row trains`);
  for (const row of rows) {
    if (row.equalSeconds !== null) {
      throw row.error(`Cannot give "${row.name}" the time of "${row.equalSeconds}" beside budgets, which are its time`);
    }
    const { train } = row.recipe([]).value;
    if (train.maxSteps !== null) {
      throw row.error(`Cannot give "${row.name}" a budget of epochs: train.maxSteps must be null`);
    }
    for (const budget of budgets) {
      if (budget.of === "epochs") rowAt(row, multiple(row, budget).epochs, budget.name).recipe([]);
    }
  }
}

/** A row's length at a budget, and the seconds that an epoch takes where that was measured. */
type Length = (row: Row, budget: Budget) => { readonly epochs: number; readonly seconds: number | null };

const multiple: Length = (row, { name, amount }) => {
  const own = row.recipe([]).value.train.epochs;
  // Products such as 0.7 x 10 are whole but for the last bit.
  const epochs = +(own * amount).toPrecision(12);
  if (Number.isInteger(epochs) && epochs >= 1) return { epochs, seconds: null };
  throw row.error(`Cannot give "${row.name}" ${name} of its ${own} epochs, which is ${epochs}: expected whole epochs`);
};

/** Epochs by what one takes in runs with the recipe's own, of the first value and the seeds that are tuned by. */
async function timedEpochs(experiment: Experiment, output: string, executor: Runner | Executor): Promise<Length> {
  const { tune, seeds } = experiment;
  const { budgets: _all, ...rest } = experiment;
  const pilots = await runGrid(
    {
      ...rest,
      rows: experiment.rows.map((row) => tunedRow(row, tune, tune && tune.values[0])),
      seeds: tune ? tune.seeds : seeds.slice(0, 1),
      tune: null,
    },
    output,
    asPart(executor, "timing "),
  );
  return (row, { name, amount }) => {
    const runs = finished(pilots.find(({ name }) => name === row.name)!.runs);
    if (runs.length === 0) throw row.error(`Cannot give "${row.name}" ${name} of time: its training failed`);
    const seconds = secondsAnEpoch(runs);
    return { epochs: epochsIn(amount, seconds), seconds };
  };
}

/** A row at a number of epochs; one of the recipe's own lies where it does without budgets. */
function rowAt(row: Row, epochs: number, label: string): Row {
  const own = row.recipe([]).value.train.epochs;
  const folder = epochs === own ? row.folder : join(row.folder, `epochs=${epochs}`);
  return { ...lengthenedRow(row, epochs, label), folder };
}

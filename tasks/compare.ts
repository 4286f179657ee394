import type { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { type Budget, budgetsOf } from "./experiment/budgets.ts";
import { addExperimentFlags, seedsOf } from "./experiment/flags.ts";
import { readSeries } from "./experiment/read_series.ts";
import { type ExperimentFlags, runExperiments } from "./experiment/run_experiment.ts";
import { addSentFlags } from "./queue/flags.ts";

interface CompareFlags extends ExperimentFlags {
  readonly seeds?: string;
  readonly baseline?: string;
  readonly budgets?: string;
}

/** Adds the verb `compare`: several recipes, or the rows of an experiment file, with several seeds each. */
export function addCompare(program: Command): void {
  addSentFlags(addExperimentFlags(
    program.command("compare").description("run recipes with several seeds and hold the results against each other")
      .argument("<recipes...>", "recipes, or one file of an experiment (tasks/recipes/ablation.yaml) or of several")
      .option("--seeds <list>", "seeds, as in 1,2,3 (default: the experiment's, or 1,2,3)")
      .option("--baseline <row>", "row that the others are held against (default: the first)")
      .option("--budgets <list>", "how long each trains, as 1x,4x,16x of its epochs or 60s,5m (default: its epochs)")
      .option("--dry-run", "print which runs are to do and what they take, after a few steps of each row; write none"),
  )).action(async (files: string[], flags: CompareFlags) => {
    const { baseline } = flags;
    const options = { seeds: seedsOf(flags.seeds), budgets: flaggedBudgets(flags.budgets), baseline };
    await runExperiments(await readSeries(files, options), flags);
  });
}

/** Reads `--budgets`. @throws UserError if it is no list of them */
function flaggedBudgets(text: string | undefined): Budget[] | undefined {
  if (text === undefined) return undefined;
  try {
    return budgetsOf(text.split(","));
  } catch (error) {
    throw error instanceof SyntaxError ? new UserError(`--budgets ${text}: ${error.message}`) : error;
  }
}

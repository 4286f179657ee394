import type { Command } from "commander";
import { addExperimentFlags, seedsOf } from "./experiment/flags.ts";
import { readSeries } from "./experiment/read_series.ts";
import { type ExperimentFlags, runExperiments } from "./experiment/run_experiment.ts";
import { addSentFlags } from "./queue/flags.ts";

interface CompareFlags extends ExperimentFlags {
  readonly seeds?: string;
  readonly baseline?: string;
}

/** Adds the verb `compare`: several recipes, or the rows of an experiment file, with several seeds each. */
export function addCompare(program: Command): void {
  addSentFlags(addExperimentFlags(
    program.command("compare").description("run recipes with several seeds and hold the results against each other")
      .argument("<recipes...>", "recipes, or one file of an experiment (tasks/recipes/ablation.yaml) or of several")
      .option("--seeds <list>", "seeds, as in 1,2,3 (default: the experiment's, or 1,2,3)")
      .option("--baseline <row>", "row that the others are held against (default: the first)"),
  )).action(async (files: string[], flags: CompareFlags) => {
    const { baseline } = flags;
    await runExperiments(await readSeries(files, { seeds: seedsOf(flags.seeds), baseline }), flags);
  });
}

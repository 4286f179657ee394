import type { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { readUserFile } from "../core/files.ts";
import { parseOverride } from "../core/recipe/overrides.ts";
import { addExperimentFlags, seedsOf } from "./experiment/flags.ts";
import { refuseOverwritten } from "./experiment/overwritten.ts";
import { recipeRow } from "./experiment/read_experiment.ts";
import { type ExperimentFlags, runExperiment } from "./experiment/run_experiment.ts";
import { concludeSweep, sweepExperiment } from "./experiment/sweep.ts";
import { addSentFlags } from "./queue/flags.ts";
import { overridesOf } from "./support/flags.ts";
import { numberInRange, wholeNumbers } from "./support/numbers.ts";

interface SweepFlags extends ExperimentFlags {
  readonly cores: string;
  readonly rates?: string;
  readonly seeds?: string;
  readonly tolerance: string;
}

/** Adds the verb `sweep`: the number of cores and the learning rate that a recipe should have. */
export function addSweep(program: Command): void {
  addSentFlags(addExperimentFlags(
    program.command("sweep").description("find the smallest number of cores that is about as good as the best")
      .argument("<recipe>", "recipe that over-parameterises its student")
      .option("--cores <list>", "numbers of cores of all chains; 1 leaves them out", "2,3,5,7")
      .option("--rates <list>", "learning rates tried for each (default: half, once and twice the recipe's)")
      .option("--seeds <list>", "seeds of each run (default: the recipe's)")
      .option(
        "--tolerance <points>",
        "how far below the best on validation the pick may be, in percent points",
        "0.15",
      ),
    "runs/sweep- and the recipe's name",
  )).action(async (file: string, flags: SweepFlags) => {
    const tolerance = numberInRange("--tolerance", flags.tolerance, "a number from 0", (value) => value >= 0);
    const text = new TextDecoder().decode(await readUserFile(file, "the recipe"));
    // Here and not with the other flags, since --cores and --rates are to have the last word.
    const changes = overridesOf({ set: flags.set });
    refuseOverwritten(flags.set.map(parseOverride), null, false);
    const { name, seed } = recipeRow("sweep", file, text, changes).recipe([]).value;
    const experiment = sweepExperiment(recipeRow(name, file, text, changes), {
      cores: distinct("--cores", wholeNumbers("--cores", flags.cores)),
      rates: flags.rates === undefined ? null : distinct("--rates", ratesOf(flags.rates)),
      seeds: seedsOf(flags.seeds) ?? [seed],
    });
    await runExperiment(experiment, { ...flags, set: [] }, (results) => concludeSweep(experiment, results, tolerance));
  });
}

function ratesOf(text: string): number[] {
  return text.split(",").map((part) => {
    return numberInRange("--rates", part.trim(), "numbers above 0 with commas between", (value) => value > 0);
  });
}

function distinct(flag: string, values: number[]): number[] {
  if (new Set(values).size === values.length) return values;
  throw new UserError(`${flag} ${values}: Expected numbers that differ from each other`);
}

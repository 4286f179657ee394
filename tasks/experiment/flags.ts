import type { Command } from "commander";
import { UserError } from "../../core/errors.ts";
import { addPluginFlag, addVerbose, repeatable } from "../support/flags.ts";

/** Adds the flags that all verbs with many runs have. @param folder where they go, in words */
export function addExperimentFlags(command: Command, folder = "runs/ and the experiment's name"): Command {
  return addVerbose(
    addPluginFlag(command)
      .addOption(repeatable("--set <key=value>", "set a value in each recipe, as in train.epochs=3; may be repeated"))
      .option("--backend <name>", "where to compute: auto, webgpu or cpu")
      .option("--output <folder>", `folder of runs and tables (default: ${folder})`)
      .option("--quiet", "print the closing tables and warnings alone"),
    "keep every progress line, and show the stack of an internal error",
  );
}

/**
 * Reads `--seeds`.
 *
 * @throws UserError if it is no list of different whole numbers from 0
 */
export function seedsOf(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  const parts = text.split(",").map((part) => part.trim());
  const seeds = parts.map(Number);
  const known = parts.every((part) => /^\d+$/.test(part)) && seeds.every((seed) => seed < 2 ** 32);
  if (known && new Set(seeds).size === seeds.length) return seeds;
  throw new UserError(`--seeds ${text}: Expected different whole numbers from 0 with commas between, as in 1,2,3`);
}

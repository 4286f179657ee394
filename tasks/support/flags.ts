import { type Command, Option } from "commander";
import { type Override, parseOverride } from "../../core/recipe/overrides.ts";

/** Flags that change a recipe. */
export interface RecipeFlags {
  readonly set: readonly string[];
  readonly seed?: string;
  readonly backend?: string;
  readonly out?: string;
  readonly allowPluginUrl?: boolean;
}

/** Flags of the verbs that run a recipe. */
export interface RunFlags extends RecipeFlags {
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  /** False by `--no-report`. */
  readonly report?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** An option that may be given again; its values are kept in order. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).default([], "none").argParser((value: string, before: string[]) => [
    ...before,
    value,
  ]);
}

/** Adds `--allow-plugin-url`, without which no recipe runs code from the network. */
export function addPluginFlag(command: Command): Command {
  return command.option("--allow-plugin-url", "run plug-ins that the recipe names by URL and hash");
}

/** Adds `--set`, `--seed`, `--backend` and `--allow-plugin-url`. */
export function addRecipeFlags(command: Command): Command {
  return addPluginFlag(command)
    .addOption(repeatable("--set <key=value>", "set a value of the recipe, as in train.epochs=3; may be repeated"))
    .option("--seed <number>", "seed of all random numbers")
    .option("--backend <name>", "where to compute: auto, webgpu or cpu");
}

/** Adds `--verbose`, which every verb has. */
export function addVerbose(command: Command, description = "show the stack of an internal error"): Command {
  return command.option("--verbose", description);
}

/** Adds the flags of `distill` and `train`. */
export function addRunFlags(command: Command): Command {
  return addVerbose(
    addRecipeFlags(command)
      .option("--out <folder>", "run folder (default: runs/ and the recipe's name)")
      .option("--resume", "continue from the checkpoint in the run folder")
      .option("--dry-run", "print what the run would do and take, after a few steps; leave no run folder")
      .option("--no-report", "draw no report.html, nor look at what it would show")
      .option("--quiet", "print the closing table and warnings alone"),
    "keep every progress line, and show the stack of an internal error",
  );
}

/**
 * What flags change in a recipe. The recipe's schema checks the values, and names the flag if one is wrong.
 *
 * @throws UserError if a `--set` cannot be read
 */
export function overridesOf({ set, seed, backend, out }: RecipeFlags): Override[] {
  const flag = (path: string, name: string, value: unknown): Override[] =>
    value === undefined ? [] : [{ path: [path], value, label: `--${name} ${value}` }];
  return [
    ...set.map(parseOverride),
    ...flag("seed", "seed", seed === undefined || !/^\d+$/.test(seed) ? seed : Number(seed)),
    ...flag("backend", "backend", backend),
    ...flag("output", "out", out),
  ];
}

import { resolve } from "node:path";
import type { Command } from "commander";
import { teach } from "../core/distill/teach.ts";
import type { Shard } from "../core/distill/teacher/cache_files.ts";
import { UserError } from "../core/errors.ts";
import { readRecipe } from "../core/recipe/recipe.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { withBackend } from "./support/backend.ts";
import { confined, writesOf } from "./support/confine.ts";
import { addRecipeFlags, addVerbose, overridesOf, type RecipeFlags } from "./support/flags.ts";
import { standardOutput } from "./support/output.ts";
import { runReporter } from "./support/progress.ts";

interface TeachFlags extends RecipeFlags {
  readonly shard?: string;
}

/** Adds the verb `teach`: computes a teacher's outputs ahead of a run, or a part of them. */
export function addTeach(program: Command): void {
  addVerbose(
    addRecipeFlags(
      program.command("teach").description(
        "compute the teacher's outputs that a recipe's losses want, to be read by runs",
      )
        .argument("<recipe>", "recipe, whose run will read them")
        .option("--shard <k/n>", "only the k-th of n parts of the training examples, as one of several machines")
        .option("--out <folder>", "where they are kept (default: the recipe's teacher.cache)"),
    ),
  ).action(async (file: string, { out, ...flags }: TeachFlags) => {
    const shard = flags.shard === undefined ? null : shardOf(flags.shard);
    const folder = out === undefined
      ? []
      : [{ path: ["teacher", "cache"], value: resolve(out), label: `--out ${out}` }];
    const recipe = await readRecipe(file, { overrides: [...overridesOf(flags), ...folder] });
    const standard = standardOutput("stdout");
    const reporter = runReporter(standard, standardOutput("stderr"));
    await confined(writesOf(recipe), () =>
      withBackend(
        recipe.value.backend,
        reporter.line,
        (backend) => teach(recipe, { backend, builtins: allowedPlugins(flags), shard, reporter }),
      ).finally(reporter.end), true);
  });
}

/** @throws UserError if it is none */
function shardOf(text: string): Shard {
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (!(shard.index >= 1 && shard.index <= shard.of)) {
    throw new UserError(`--shard ${text}: Expected K/N, the K-th of N parts, such as 1/4`);
  }
  return shard;
}

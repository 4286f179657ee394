import type { Backend } from "../backend/backend.ts";
import { Random } from "../data/random.ts";
import { breathe } from "../evaluate/breathe.ts";
import { createOps } from "../ops/ops.ts";
import { Owned } from "../owned.ts";
import type { Builtins } from "../plugin/registry.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { loadTaughtData } from "./load_taught_data.ts";
import { expectLgtm } from "./open_lgtm.ts";
import { freed, type Opening, openLosses, openStudent } from "./open_stages.ts";
import type { Reporter } from "./progress.ts";
import { resolvePlugins } from "./resolve_plugins.ts";
import { Stopwatch } from "./stopwatch.ts";
import { startingTokenizer } from "./student/starting_inputs.ts";
import { loadTeacher } from "./teacher/load_teacher.ts";
import { cachedOutputs, writeShard } from "./teacher/output_cache.ts";
import { sameTokens } from "./teacher/own_inputs.ts";
import type { Shard } from "./teacher/cache_files.ts";
import { augmentationsOf, cacheSetup } from "./teacher/use_cache.ts";

/** How a teacher's outputs are made. */
export interface TeachOptions {
  readonly backend: Backend;
  readonly builtins: Builtins;
  /** The part of the training examples; `null`: all of them, in one file. */
  readonly shard: Shard | null;
  readonly reporter: Reporter;
}

/**
 * Computes the teacher's outputs over the training examples, or over a part of them, into the recipe's `teacher.cache`,
 * from where a run of the same recipe reads them. Which outputs those are follows from its losses.
 *
 * @throws UserError for a recipe without a teacher that is computed, or whose losses want nothing of it; and as a run
 * has it
 */
export async function teach(
  recipe: Checked<Recipe>,
  { backend, builtins, shard, reporter }: TeachOptions,
): Promise<void> {
  if (recipe.value.teacher === null) throw recipe.error(["teacher"], "Cannot teach without a teacher: name one");
  if (recipe.value.teacher.cache === null) {
    throw recipe.error(
      ["teacher"],
      "Cannot keep the teacher's outputs as it is not said where: give teacher.cache a folder, or take --out FOLDER",
    );
  }
  expectLgtm(recipe);
  const changing = augmentationsOf(recipe.value.augment);
  if (changing !== null) {
    throw recipe.error(
      ["augment"],
      `Cannot compute the teacher's outputs ahead as augmentation (${changing}) changes the images in every epoch: switch ` +
        "it off",
    );
  }
  const [ops, random, plugins] = [
    createOps(backend),
    new Random(recipe.value.seed),
    await resolvePlugins(recipe, builtins),
  ];
  using owned = new Owned();
  const tell = { report: (line: string) => reporter.line(line), warning: (line: string) => reporter.warning(line) };
  const { report } = tell;
  const tokenizer = await startingTokenizer(recipe);
  const { data, own, recorded } = await loadTaughtData(ops, recipe, plugins, random, tokenizer, tell, owned);
  if (recorded) {
    throw recipe.error(["teacher"], "Cannot compute the teacher's outputs: the teacher is a file of them already");
  }
  const teacher = (await loadTeacher(ops, recipe, plugins, data.dataset.input, own, report))!;
  owned.adopt(teacher, freed);
  const opening: Opening = { ops, recipe, watch: new Stopwatch(), plugins, random, report, owned, breath: breathe };
  const student = await openStudent(opening, data, teacher);
  const { losses } = await openLosses(opening, data, teacher, student, sameTokens(own));
  const setup = cacheSetup(recipe, { data, teacher }, losses, tell);
  if (!setup) {
    throw recipe.error(["losses"], "Cannot compute the teacher's outputs: no loss wants any that could be kept");
  }
  await recipe.within(
    ["teacher", "cache"],
    () => shard ? writeShard(ops, setup, shard) : cachedOutputs(ops, setup),
  );
}

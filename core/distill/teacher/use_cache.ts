import type { Ops } from "../../ops/ops.ts";
import type { Loss } from "../../plugin/loss.ts";
import type { Checked } from "../../recipe/checked.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { hasCopies } from "../chosen_examples.ts";
import type { RunData } from "../load_data.ts";
import { type Tell, withoutOwnInputs } from "./own_inputs.ts";
import type { LoadedTeacher } from "./load_teacher.ts";
import { mapBatches } from "../map_examples.ts";
import { blankOutputs, cachedOutputs, type CacheSetup, withOutputs } from "./output_cache.ts";
import { topLogitsOf } from "./top_logits.ts";

/** A teacher and the data it teaches with. */
export interface Lessons {
  readonly data: RunData;
  readonly teacher: LoadedTeacher | null;
}

/** What the losses of a run want of its teacher. */
export interface TeacherUse {
  /** Names of the outputs that they read. */
  readonly wanted: ReadonlySet<string>;
  /** For which temperatures they read the rest of its largest logits. */
  readonly temperatures: readonly number[];
  /** The losses themselves. */
  readonly all: readonly { readonly name: string; readonly loss: Pick<Loss, "runsTeacher"> }[];
}

/** How a teacher's outputs are cached. */
export interface CacheCall {
  readonly losses: TeacherUse;
  /** Look whether they can be, and leave it at that. */
  readonly dry: boolean;
  readonly tell: Tell;
}

/**
 * If the recipe names a `teacher.cache`: the same, with batches of training examples that bring the teacher's outputs.
 *
 * @throws UserError with line and column if the outputs are not the same in every epoch, or cannot be collected
 */
export async function useTeacherCache(
  ops: Ops,
  recipe: Checked<Recipe>,
  lessons: Lessons,
  { losses, dry, tell }: CacheCall,
): Promise<Lessons> {
  const setup = cacheSetup(recipe, lessons, losses, tell);
  // Of the largest logits there are none without a cache.
  if (!setup || (dry && !setup.topLogits)) return lessons;
  const { data } = lessons;
  return await recipe.within(["teacher", "cache"], async () => {
    const outputs = await (dry ? blankOutputs(ops, setup) : cachedOutputs(ops, setup));
    return {
      data: { ...data, train: withOutputs(mapBatches(data.train, withoutOwnInputs), outputs) },
      teacher: { ...setup.teacher, cached: outputs.tree },
    };
  });
}

/** What changes images from epoch to epoch, as the recipe calls it: `flip: true, shift: 2`; `null` if nothing does. */
export function augmentationsOf(augment: Recipe["augment"]): string | null {
  const on = Object.entries(augment).filter(([, value]) => value);
  return on.length === 0 ? null : on.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ");
}

/** What a recipe's `teacher.cache` is of; `null` where it names none, or no loss wants anything of the teacher. */
export function cacheSetup(
  recipe: Checked<Recipe>,
  { data, teacher }: Lessons,
  { wanted, temperatures, all }: TeacherUse,
  { report, warning }: Tell,
): CacheSetup & { readonly teacher: LoadedTeacher } | null {
  const { teacher: settings, augment, dataset, validation, subset, seed, evaluate } = recipe.value;
  if (!teacher || !settings || settings.cache === null) return null;
  for (const { name, loss } of all) {
    if (!loss.runsTeacher) continue;
    warning(
      `teacher.cache keeps nothing for the loss "${name}": it runs the teacher itself before training, in every run anew`,
    );
  }
  if (wanted.size === 0) {
    report(`teacher.cache${settings.keep ? ", with keep," : ""} keeps nothing: no loss wants any of its outputs`);
    return null;
  }
  const changing = augmentationsOf(augment);
  if (changing !== null) {
    throw recipe.error(
      ["teacher", "cache"],
      `Cannot cache the teacher's outputs as augmentation (${changing}) changes the images in every epoch: switch it off, ` +
        "or set cache to null",
    );
  }
  const { cache: folder, keep, weights: _weights, onPoorTeacher: _looked, others, ...options } = settings;
  const { dataset: { input } } = data;
  const count = topLogitsOf(recipe, input);
  if (keep && count === null) {
    report(`teacher.keep.topK leaves nothing out: all of ${input.classes.length} logits are kept`);
  } else if (keep && !wanted.has("topLogits")) {
    report("teacher.keep.topK changes nothing: no loss reads the teacher's logits");
  }
  return {
    folder: resolveFile(recipe, folder!),
    teacher,
    wanted,
    train: data.train,
    batchSize: evaluate.batchSize,
    origin: {
      weights: teacher.sha256,
      options,
      others: others.map(({ weights: _weights, ...rest }) => rest),
      data: data.sha256,
      transform: dataset,
      split: {
        ...{ validation, subset, seed, examples: data.train.length },
        // Caches that were kept before copies were known are of other examples.
        ...hasCopies(data.dataset.splits.train) && { copies: "on one side" },
      },
    },
    topLogits: count !== null && wanted.has("topLogits")
      ? { count, classes: input.classes.length, temperatures }
      : null,
    report,
  };
}

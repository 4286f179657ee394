import type { Ops } from "../../ops/ops.ts";
import type { Checked } from "../../recipe/checked.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { RunData } from "../load_data.ts";
import { withoutOwnInputs } from "./own_inputs.ts";
import type { LoadedTeacher } from "./load_teacher.ts";
import { mapBatches } from "../map_examples.ts";
import { cachedOutputs, type CacheSetup, withOutputs } from "./output_cache.ts";

/** A teacher and the data it teaches with. */
export interface Lessons {
  readonly data: RunData;
  readonly teacher: LoadedTeacher | null;
}

/** How a teacher's outputs are cached. */
export interface CacheCall {
  /** Names of the outputs that the losses read. */
  readonly wanted: ReadonlySet<string>;
  /** Look whether they can be, and leave it at that. */
  readonly dry: boolean;
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
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
  { wanted, dry, report }: CacheCall,
): Promise<Lessons> {
  const setup = cacheSetup(recipe, lessons, wanted, report);
  if (!setup || dry) return lessons;
  const { data } = lessons;
  return await recipe.within(["teacher", "cache"], async () => {
    const outputs = await cachedOutputs(ops, setup);
    return {
      data: { ...data, train: withOutputs(mapBatches(data.train, withoutOwnInputs), outputs) },
      teacher: { ...setup.teacher, cached: outputs.tree },
    };
  });
}

/** What a recipe's `teacher.cache` is of; `null` where it names none, or no loss wants anything of the teacher. */
export function cacheSetup(
  recipe: Checked<Recipe>,
  { data, teacher }: Lessons,
  wanted: ReadonlySet<string>,
  report: (line: string) => void,
): CacheSetup & { readonly teacher: LoadedTeacher } | null {
  const { teacher: settings, augment, dataset, validation, subset, seed, evaluate } = recipe.value;
  if (!teacher || !settings || settings.cache === null || wanted.size === 0) return null;
  if (Object.values(augment).some(Boolean)) {
    throw recipe.error(
      ["teacher", "cache"],
      "Cannot cache the teacher's outputs as augmentation changes the images in every epoch: set augment to {}, or " +
        "cache to null",
    );
  }
  const { cache: folder, weights: _weights, onPoorTeacher: _looked, others, ...options } = settings;
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
      split: { validation, subset, seed, examples: data.train.length },
    },
    report,
  };
}

import type { Random } from "../data/random.ts";
import type { Owned } from "../owned.ts";
import type { Ops } from "../ops/ops.ts";
import type { Checked } from "../recipe/checked.ts";
import type { Recipe } from "../recipe/schema.ts";
import { closeData } from "./close_data.ts";
import { loadData } from "./load_data.ts";
import type { ResolvedPlugins } from "./resolve_plugins.ts";
import type { LoadedTeacher } from "./teacher/load_teacher.ts";
import { type TaughtData, type Tell, withTeachersInputs } from "./teacher/own_inputs.ts";
import { readRecordedTeacher } from "./teacher/recorded_teacher.ts";
import { inTeachersOrder } from "./teacher/teacher_classes.ts";

/** A run's data in the teacher's order of classes, whose batches hold what it takes. */
export interface LoadedTaughtData extends TaughtData {
  /** A teacher that is a file of outputs; `null` where it is a model, still to be loaded, or there is none. */
  readonly recorded: LoadedTeacher | null;
}

/**
 * Loads a recipe's data, and makes them its teacher's.
 *
 * @param tokenizer the folder of that for texts, where the recipe names none
 * @param owned closes the data set, whatever it has open
 * @throws UserError with line and column for files that are wrong, or a teacher that does not fit the data
 */
export async function loadTaughtData(
  ops: Ops,
  recipe: Checked<Recipe>,
  plugins: ResolvedPlugins,
  random: Random,
  tokenizer: string | null,
  tell: Tell,
  owned: Owned,
): Promise<LoadedTaughtData> {
  const loaded = await loadData(recipe, plugins.dataset, random, tokenizer);
  owned.defer(() => void closeData(loaded.dataset, tell.warning));
  const ordered = await inTeachersOrder(recipe, plugins, loaded, tell.report);
  const recorded = await readRecordedTeacher(ops, recipe, plugins, ordered);
  if (recorded) return { data: recorded.data, own: [], recorded: recorded.teacher };
  return { ...await withTeachersInputs(recipe, ordered, random, tell), recorded: null };
}

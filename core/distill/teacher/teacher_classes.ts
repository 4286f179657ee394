import { readClassNames } from "../../model_folder/class_names.ts";
import { isUrl } from "../../data/remote_file.ts";
import type { Task } from "../../plugin/dataset.ts";
import { hasClasses } from "../../plugin/inputs.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Path } from "../../recipe/paths.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { RunData } from "../load_data.ts";
import { reorderClasses } from "../reorder_classes.ts";
import type { Resolved, ResolvedPlugins } from "../resolve_plugins.ts";
import { matchClasses } from "./match_classes.ts";

/** Where a recipe names a teacher. */
interface Named {
  readonly weights: string | null;
  /** The names of its classes that the recipe gives. */
  readonly classes: readonly (string | number | boolean)[] | null;
}

const REMEDIES = {
  order: "the teacher's order in dataset.classes; if the teacher's names are wrong, teacher.classes has the right ones",
  names:
    "name the data set's in the order of the teacher's logits with dataset.classes, or the teacher's by the data " +
    "set's names with teacher.classes",
} as const;
const NAMED = { ...REMEDIES, names: "expected the data set's names in teacher.classes" } as const;
const OTHERS = { ...REMEDIES, order: "all teachers to have one order" } as const;

/**
 * Brings a data set's classes into the order of the teacher's logits, by their names.
 *
 * @param report takes lines for the user
 * @throws UserError with line and column if it cannot be told which class is which, or several teachers differ
 */
export async function inTeachersOrder(
  recipe: Checked<Recipe>,
  { dataset, teacher, otherTeachers }: ResolvedPlugins,
  data: RunData,
  report: (line: string) => void,
): Promise<RunData> {
  const settings = recipe.value.teacher;
  if (!teacher || !settings || !hasClasses(data.dataset.input.task)) return data;
  const listed = Array.isArray(dataset.options?.classes);
  let result = data;
  for (const [index, plugin] of [teacher, ...otherTeachers].entries()) {
    const named: Named = index === 0 ? settings : settings.others[index - 1];
    const own = await namesOf(recipe, plugin, named, data.dataset.input.task);
    if (!own) continue;
    const order = recipe.within(placeOf(plugin, named), () =>
      matchClasses({
        who: "teacher",
        own,
        given: result.dataset.input.classes,
        listed,
        numbered: result.dataset.input.numbered,
        // Two teachers may want two orders, and the data set has one.
        movable: index === 0 && (!listed || named.classes !== null),
        remedies: index === 0 && named.classes ? NAMED : index === 0 ? REMEDIES : OTHERS,
        report,
      }));
    if (order) result = reorderClasses(result, order);
  }
  return result;
}

const placeOf = ({ path }: Resolved<"model">, { classes }: Named): Path => [...path, classes ? "classes" : "weights"];

/** The names that the recipe gives, those among the model's options, or those beside its weights. */
async function namesOf(
  recipe: Checked<Recipe>,
  plugin: Resolved<"model">,
  named: Named,
  task: Task,
): Promise<readonly string[] | null> {
  const { weights } = named;
  const saved = weights === null || isUrl(weights)
    ? null
    : await recipe.within(placeOf(plugin, named), () => readClassNames(resolveFile(recipe, weights), task));
  if (named.classes) return named.classes.map((name) => String(name).trim());
  const { labels } = (plugin.options ?? {}) as { labels?: unknown };
  return Array.isArray(labels) ? labels.map(String) : saved;
}

/** A teacher's plug-in without the class names of its config.json, where the recipe says them. */
export function withoutLabels(plugin: Resolved<"model">, classes: unknown): Resolved<"model"> {
  return classes ? { ...plugin, options: { ...plugin.options, labels: null } } : plugin;
}

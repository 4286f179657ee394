import { join, resolve } from "node:path";
import type { Assessment, AssessSettings } from "../../core/assess/assessment.ts";
import { ASSESSMENTS } from "../../core/assess/assessments.ts";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { readRecipe, resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { finished } from "../experiment/outcome.ts";
import { RESULTS } from "../experiment/write_results.ts";
import { readExperiment } from "../report/read_experiment.ts";
import { overridesOf } from "../support/flags.ts";
import { answeringModel, foreignKindOf, recipeNear, savedModel } from "../support/saved_model.ts";
import { type AssessFlags, chosenAssessments, settingsOf } from "./flags.ts";
import type { AssessedManifest } from "./manifest.ts";
import type { NamedFolder } from "./open_subjects.ts";
import { kinOf, ownRecipe, ownSplit } from "./own_recipe.ts";

/** What is to be done. */
export interface Plan {
  readonly folders: readonly [NamedFolder, ...NamedFolder[]];
  readonly teacher: NamedFolder | null;
  readonly recipe: Checked<Recipe>;
  readonly assessments: readonly Assessment[];
  readonly settings: AssessSettings;
}

/** What the verb's arguments ask for. @throws UserError for flags that do not go together, and folders of no model */
export async function planOf(given: readonly string[], flags: AssessFlags): Promise<Plan> {
  const assessments = chosenAssessments(flags.only);
  if (flags.saveTemperature && !assessments.some(({ name }) => name === "calibration")) {
    throw new UserError(`--only ${flags.only}: Cannot save a temperature without calibration`);
  }
  const paths = (await Promise.all(given.map(expanded))).flat();
  if (paths.length === 0) throw new UserError("Cannot assess nothing: name a model folder, or --verify MANIFEST");
  const found = await Promise.all(paths.map((path) => answeringModel(path, "assess")));
  const twice = paths.find((path, at) => paths.indexOf(path) < at);
  if (twice !== undefined) throw new UserError(`Cannot assess "${twice}" twice: name other models beside it`);
  if (flags.manifest && paths.length > 1) {
    throw new UserError(`--manifest: Cannot write a manifest of ${paths.length} models at once: name one`);
  }
  if (flags.manifest && flags.saveTemperature) {
    throw new UserError(
      "--manifest: Cannot say what is found while it is changed by --save-temperature: save that first",
    );
  }
  const recipe = await recipeOf(paths, flags);
  const { seed, evaluate: { batchSize } } = recipe.value;
  const settings = settingsOf(flags, { seed, batchSize });
  const [first, ...others] = await Promise.all(
    paths.map((name, at) => ofRecipe({ name, folder: found[at] }, recipe, flags)),
  );
  const folders = [first, ...others] as const;
  const teacher = await teacherOf(recipe, flags);
  // One that is named beside the others stands there once, by that name.
  const named = teacher && folders.find(({ folder }) => resolve(folder) === resolve(teacher.folder));
  return { folders, teacher: named ?? teacher, recipe, assessments, settings };
}

/** What computes a manifest again. @throws UserError if there is no model beside it, or no recipe */
export async function planOfManifest(
  folder: string,
  { assessments }: AssessedManifest,
  flags: AssessFlags,
): Promise<Plan> {
  const path = await savedModel(folder, "verify");
  const recipe = await recipeOf([path], flags);
  const names = Object.keys(assessments?.results ?? {});
  const unknown = names.find((name) => !ASSESSMENTS.some((known) => known.name === name));
  if (unknown !== undefined) {
    throw new UserError(`Cannot verify "${folder}": this version has no assessment "${unknown}"`);
  }
  const stated = assessments?.teacher ?? null;
  const taught = stated === null ? null : await statedTeacher(stated, recipe, flags);
  const { seed, evaluate: { batchSize } } = recipe.value;
  return {
    folders: [await ofRecipe({ name: folder, folder: path }, recipe, flags)],
    teacher: taught,
    recipe,
    assessments: ASSESSMENTS.filter(({ name }) => names.includes(name)),
    settings: assessments?.settings ?? settingsOf(flags, { seed, batchSize }),
  };
}

/** The teacher that a manifest was made beside: the recipe's by that name, or a folder; or that which is asked for. */
async function statedTeacher(stated: string, recipe: Checked<Recipe>, flags: AssessFlags): Promise<NamedFolder> {
  const own = await teacherOf(recipe, flags);
  if (own && (flags.teacher !== undefined || own.name === stated)) return own;
  return await ofRecipe({ name: stated, folder: await answeringModel(stated, "assess") }, recipe, flags);
}

/** A model with what its own run's recipe says, beside the recipe that all are assessed by. */
async function ofRecipe(
  { name, folder }: Pick<NamedFolder, "name" | "folder">,
  recipe: Checked<Recipe>,
  flags: AssessFlags,
): Promise<NamedFolder> {
  const own = await ownRecipe(folder, overridesFor(flags));
  const { overrides, otherData, differs } = ownSplit(own, recipe);
  return {
    name,
    folder,
    overParameterised: own && own.value.student.overParameterise.length > 0,
    kin: kinOf(own),
    recipe: overrides.length === 0
      ? recipe
      : await readRecipe(recipe.file, { overrides: [...overridesFor(flags), ...overrides] }),
    otherData,
    differs,
  };
}

/** The runs of a comparison or a sweep, one of each row; else what was named. */
async function expanded(path: string): Promise<string[]> {
  if (await kindOfPath(join(path, RESULTS)) === null) return [path];
  const { results } = await readExperiment(path);
  const folders = results.flatMap(({ runs }) => finished(runs).slice(0, 1).map(({ folder }) => folder));
  if (folders.length > 0) return folders;
  throw new UserError(`Cannot assess "${path}": no run of it came to its end`);
}

/** The recipe's own seed decides which examples are held out: that of noise is another. */
const overridesFor = ({ set, backend }: AssessFlags) => overridesOf({ set, backend });

/** The recipe that is named, or that of the first folder that is of a run. @throws UserError if there is none */
async function recipeOf(paths: readonly string[], flags: AssessFlags): Promise<Checked<Recipe>> {
  const overrides = overridesFor(flags);
  const near = flags.recipe === undefined ? await Promise.all(paths.map(recipeNear)) : [flags.recipe];
  const file = near.find((file) => file !== null) ?? null;
  if (file !== null) return await readRecipe(file, { overrides });
  throw new UserError(`Cannot assess "${paths[0]}" without a data set: name a recipe that has it with --recipe FILE`);
}

/** The model that the others are held against: that which is named, or the recipe's, where it is a folder. */
async function teacherOf(recipe: Checked<Recipe>, flags: AssessFlags): Promise<NamedFolder | null> {
  const { teacher } = flags;
  if (teacher !== undefined) {
    return await ofRecipe({ name: teacher, folder: await answeringModel(teacher, "assess") }, recipe, flags);
  }
  const weights = recipe.value.teacher?.weights ?? null;
  if (weights === null || recipe.value.teacher!.others.length > 0) return null;
  const path = resolveFile(recipe, weights);
  const isFolder = await kindOfPath(path) === "folder";
  return isFolder && await foreignKindOf(path) === null
    ? { ...await ofRecipe({ name: weights, folder: path }, recipe, flags), isUnasked: true }
    : null;
}

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
  const [first, ...others] = await Promise.all(paths.map(namedFolder));
  if (!first) throw new UserError("Cannot assess nothing: name a model folder, or --verify MANIFEST");
  const twice = paths.find((path, at) => paths.indexOf(path) < at);
  if (twice !== undefined) throw new UserError(`Cannot assess "${twice}" twice: name other models beside it`);
  if (flags.manifest && others.length > 0) {
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
    folders: [{ name: folder, folder: path, overParameterised: await isOverParameterised(path) }],
    teacher: taught,
    recipe,
    assessments: ASSESSMENTS.filter(({ name }) => names.includes(name)),
    settings: assessments?.settings ?? settingsOf(flags, { seed, batchSize }),
  };
}

/** The teacher that a manifest was made beside: the recipe's by that name, or a folder; or that which is asked for. */
async function statedTeacher(stated: string, recipe: Checked<Recipe>, flags: AssessFlags): Promise<NamedFolder> {
  const own = await teacherOf(recipe, flags);
  return own && (flags.teacher !== undefined || own.name === stated) ? own : await namedFolder(stated);
}

async function namedFolder(name: string): Promise<NamedFolder> {
  const folder = await answeringModel(name, "assess");
  return { name, folder, overParameterised: await isOverParameterised(folder) };
}

/** The runs of a comparison or a sweep, one of each row; else what was named. */
async function expanded(path: string): Promise<string[]> {
  if (await kindOfPath(join(path, RESULTS)) === null) return [path];
  const { results } = await readExperiment(path);
  const folders = results.flatMap(({ runs }) => finished(runs).slice(0, 1).map(({ folder }) => folder));
  if (folders.length > 0) return folders;
  throw new UserError(`Cannot assess "${path}": no run of it came to its end`);
}

/** What the recipe of the run that a model is of says; `null` of a model that is of no run. */
async function isOverParameterised(folder: string): Promise<boolean | null> {
  const file = await recipeNear(folder);
  return file === null ? null : (await readRecipe(file)).value.student.overParameterise.length > 0;
}

/** The recipe that is named, or that of the first folder that is of a run. @throws UserError if there is none */
async function recipeOf(paths: readonly string[], flags: AssessFlags): Promise<Checked<Recipe>> {
  // The recipe's own seed decides which examples are held out: that of noise is another.
  const overrides = overridesOf({ set: flags.set, backend: flags.backend });
  const near = flags.recipe === undefined ? await Promise.all(paths.map(recipeNear)) : [flags.recipe];
  const file = near.find((file) => file !== null) ?? null;
  if (file !== null) return await readRecipe(file, { overrides });
  throw new UserError(`Cannot assess "${paths[0]}" without a data set: name a recipe that has it with --recipe FILE`);
}

/** The model that the others are held against: that which is named, or the recipe's, where it is a folder. */
async function teacherOf(recipe: Checked<Recipe>, { teacher }: AssessFlags): Promise<NamedFolder | null> {
  if (teacher !== undefined) return await namedFolder(teacher);
  const weights = recipe.value.teacher?.weights ?? null;
  if (weights === null || recipe.value.teacher!.others.length > 0) return null;
  const path = resolveFile(recipe, weights);
  const isFolder = await kindOfPath(path) === "folder";
  return isFolder && await foreignKindOf(path) === null
    ? { name: weights, folder: path, overParameterised: await isOverParameterised(path) }
    : null;
}

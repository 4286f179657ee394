import { basename, dirname, extname, isAbsolute, join, relative, resolve } from "node:path";
import { type Checked, parseChecked } from "../../core/recipe/checked.ts";
import { isMap } from "../../core/recipe/paths.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import { type Recipe, sharedKeys } from "../../core/recipe/schema.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import { STUDENT } from "../../core/distill/student/export_student.ts";
import { isUrl } from "../../core/data/remote_file.ts";
import { isPluginFile } from "../../core/plugin/registry.ts";
import { changesOf } from "../experiment/changes.ts";
import type { Row } from "../experiment/experiment.ts";
import { refuseNumbers } from "../experiment/numbered.ts";
import { checkFolders, readText, recipeRow } from "../experiment/read_experiment.ts";
import { type StagesFile, stagesSchema } from "./schema.ts";

/** Distillation in stages (Mirzadeh et al. 2020, arXiv 1902.03393): each stage's student teaches the next one's. */
export interface Stages {
  readonly name: string;
  readonly stages: readonly Row[];
}

/** A stage as it is run. */
export interface PlannedStage {
  readonly name: string;
  readonly recipe: Checked<Recipe>;
}

/** Whether a text is a file of stages rather than a recipe. */
export function isStages(text: string): boolean {
  const { value, problems } = readYaml(text);
  return problems.length === 0 && isMap(value) && Object.hasOwn(value, "stages");
}

/**
 * The stages that a text describes; their recipes are checked when they are planned.
 *
 * @param file its path, which other paths in it are relative to
 * @throws UserError for a mistake in it, with line and column
 */
export async function stagesFrom(file: string, text: string): Promise<Stages> {
  const checked: Checked<StagesFile> = parseChecked(text, file, stagesSchema);
  const { name, base, stages } = checked.value;
  const names = Object.keys(stages);
  if (names.length < 2) {
    throw checked.error(["stages"], `Expected at least two stages: got ${names.length}; one is a recipe by itself`);
  }
  refuseNumbers(checked, "stages", "stage", "assistant");
  const near = (path: string) => isAbsolute(path) ? path : join(dirname(file), path);
  const baseText = base === null ? null : await checked.within(["base"], () => readText(near(base)));
  const rows: Row[] = [];
  for (const stage of names) {
    const at = ["stages", stage];
    const error: Row["error"] = (sentence) => checked.error(at, sentence, "key");
    const own = stages[stage];
    if (typeof own === "string") {
      const text = await checked.within(at, () => readText(near(own)));
      rows.push({ ...recipeRow(stage, near(own), text), error });
      continue;
    }
    if (baseText === null) throw error(`Cannot change a recipe for "${stage}": base names none`);
    if (rows.length > 0 && own && Object.hasOwn(own, "teacher")) {
      throw checked.error(
        [...at, "teacher"],
        `Cannot name a teacher for "${stage}": it is taught by the student of "${names[rows.length - 1]}"; ` +
          "cache, keep and onPoorTeacher are those of the base",
        "key",
      );
    }
    let changes: Override[];
    try {
      changes = changesOf(
        readYaml(baseText).value,
        own ?? {},
        (path, which) => checked.origin([...at, ...path], which),
      );
    } catch (problem) {
      throw problem instanceof SyntaxError ? error(problem.message) : problem;
    }
    rows.push({ ...recipeRow(stage, near(base!), baseText, changes), error });
  }
  checkFolders(rows);
  return { name: name ?? basename(file, extname(file)), stages: rows };
}

/**
 * The recipe of every stage, each but the first with the student of the one before as its teacher.
 *
 * @param folder of the stages' run folders
 * @param changes what is set in all of them
 * @throws UserError for a mistake in one
 */
export function planStages({ stages }: Stages, folder: string, changes: readonly Override[]): PlannedStage[] {
  const planned: PlannedStage[] = [];
  for (const stage of stages) {
    const { name } = stage;
    const output = { path: ["output"], value: join(folder, stage.folder), label: `stage "${name}"` };
    const former = planned.at(-1);
    const own = stage.recipe([...changes, output]);
    if (!former) {
      planned.push({ name, recipe: own });
      continue;
    }
    if (former.recipe.value.student.prune?.structure === "channels") {
      throw stage.error(
        `Cannot teach "${name}" by the student of "${former.name}", of which channels are pruned: its recipe does not ` +
          "say how wide it is in the end; prune its weights, or the last student's channels",
      );
    }
    const teacher = {
      path: ["teacher"],
      value: teacherFrom(former.recipe, own),
      label: `stage "${name}", taught by "${former.name}"`,
    };
    planned.push({ name, recipe: stage.recipe([...changes, output, teacher]) });
  }
  return planned;
}

/** A stage's `teacher`: the student that a recipe makes. How it is looked at, and what is kept, are the stage's own. */
function teacherFrom(former: Checked<Recipe>, own: Checked<Recipe>): Record<string, unknown> {
  const { student, output } = former.value;
  const options = Object.entries(student).filter(([key]) => !sharedKeys.student.includes(key));
  const { onPoorTeacher, cache, keep } = own.value.teacher ?? {};
  const named = (path: string) => nameFrom(own, path);
  return {
    ...(onPoorTeacher !== undefined && { onPoorTeacher, cache, keep }),
    ...Object.fromEntries(options),
    // Of a built-in model a file, which is named relative to the recipe.
    ...(typeof student.config === "string" && !isPluginFile(student.use) &&
      { config: named(resolveFile(former, student.config)) }),
    use: !isUrl(student.use) && isPluginFile(student.use) ? named(resolveFile(former, student.use)) : student.use,
    ...(typeof student.integrity === "string" && { integrity: student.integrity }),
    weights: named(resolve(output, STUDENT)),
  };
}

/** What a recipe calls a file: relative to its base, with forward slashes, so that a project can be moved. */
function nameFrom(recipe: Checked<Recipe>, path: string): string {
  const name = relative(resolveFile(recipe, "."), path);
  if (isAbsolute(name)) return name; // on another drive
  return `./${name.replaceAll("\\", "/")}`.replace("./../", "../");
}

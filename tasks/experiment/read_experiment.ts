import { basename, dirname, extname, isAbsolute, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { readUserFile } from "../../core/files.ts";
import { type Checked, parseChecked } from "../../core/recipe/checked.ts";
import type { Override } from "../../core/recipe/overrides.ts";
import { isMap, parsePath, type Path } from "../../core/recipe/paths.ts";
import { parseRecipe } from "../../core/recipe/recipe.ts";
import { readYaml } from "../../core/recipe/yaml_source.ts";
import { type Budget, budgetsOf } from "./budgets.ts";
import { changesOf } from "./changes.ts";
import { type Experiment, folderName, type Row, type Scalar, type Tuning } from "./experiment.ts";
import { refuseNumbers } from "./numbered.ts";
import { refuseOverwritten } from "./overwritten.ts";
import { type ExperimentFile, experimentSchema } from "./schema.ts";

/** The command line's changes to an experiment. */
export interface ExperimentOptions {
  readonly seeds?: readonly number[];
  /** Name of the row that the others are held against. */
  readonly baseline?: string;
  readonly budgets?: readonly Budget[];
}

/** Seeds of an experiment that names none. */
const SEEDS = [1, 2, 3];

/** Whether a text is an experiment file rather than a recipe. */
export function isExperiment(text: string): boolean {
  const { value, problems } = readYaml(text);
  return problems.length === 0 && isMap(value) && Object.hasOwn(value, "rows");
}

/** The text of a recipe or an experiment, or of what else is said. @throws UserError if it cannot be read */
export async function readText(file: string, what = "the recipe"): Promise<string> {
  return new TextDecoder().decode(await readUserFile(file, what));
}

/**
 * The experiment that files describe: one experiment file, or one row for each recipe.
 *
 * @throws UserError for a mistake in a file, with line and column
 */
export async function readExperiment(
  files: readonly string[],
  { seeds, baseline, budgets }: ExperimentOptions = {},
): Promise<Experiment> {
  const texts = await Promise.all(files.map((file) => readText(file)));
  const experiment = files.findIndex((_, index) => isExperiment(texts[index]));
  if (experiment >= 0 && files.length > 1) {
    throw new UserError(`Cannot compare the experiment file "${files[experiment]}" with others: give it alone`);
  }
  const read = experiment >= 0
    ? await experimentFrom(files[0], texts[0])
    : fromRecipes(files.map((file, index) => recipeRow(nameIn(texts[index], file), file, texts[index])));
  checkFolders(read.rows);
  const names = read.rows.map(({ name }) => name);
  if (baseline !== undefined && !names.includes(baseline)) {
    throw new UserError(`--baseline ${baseline}: Expected one of ${names.join(", ")}`);
  }
  const changed = { ...read, seeds: seeds ?? read.seeds, baseline: baseline ?? read.baseline };
  const seen = seenSeeds(changed);
  if (seen) throw new UserError(`--seeds ${changed.seeds}: ${seen}`);
  return { ...changed, ...budgets && { budgets } };
}

/** A recipe's name as it stands in its text; the recipe itself is checked later. */
function nameIn(text: string, file: string): string {
  const { value } = readYaml(text);
  return isMap(value) && typeof value.name === "string" ? value.name : basename(file, extname(file));
}

/** A row that is a recipe as it stands, or with the changes that a row of an experiment makes. */
export function recipeRow(name: string, file: string, text: string, changes: readonly Override[] = []): Row {
  return {
    name,
    folder: folderName(name),
    equalSeconds: null,
    recipe: (further) => parseRecipe(text, file, { overrides: cloned([...changes, ...further]) }),
    error: (sentence) => new UserError(`${file}: ${sentence}`),
  };
}

/** Overrides become part of a recipe, which is changed as it is checked. */
const cloned = (overrides: readonly Override[]) =>
  overrides.map((override) => ({ ...override, value: structuredClone(override.value) }));

function fromRecipes(rows: readonly Row[]): Experiment {
  const name = `compare-${rows.map(({ folder }) => folder).join("-")}`;
  return { name, rows, seeds: SEEDS, baseline: rows[0].name, tune: null, resample: null };
}

/** Refuses rows that would write into each other's folder. @throws UserError at the second of them */
export function checkFolders(rows: readonly Row[]): void {
  rows.forEach(({ name, folder, error }, index) => {
    const other = rows.slice(0, index).find((row) => row.folder.toLowerCase() === folder.toLowerCase());
    if (other) throw error(`Cannot use the name "${name}" as "${other.name}" has the same folder: name it otherwise`);
  });
}

/** What is wrong with seeds that are to confirm: one that a choice has seen confirms nothing. `null` if nothing is. */
function seenSeeds({ seeds, tune, confirm = [] }: Experiment): string | null {
  const seen = confirm.filter((seed) => seeds.includes(seed) || tune?.seeds.includes(seed));
  if (seen.length === 0) return null;
  return `Cannot confirm by seed ${seen.join(", ")}, which rows are compared or tuned by: name others in confirm.seeds`;
}

/**
 * The experiment that a text describes.
 *
 * @param file its path, which other paths in it are relative to
 * @throws UserError for a mistake in it, with line and column
 */
export async function experimentFrom(file: string, text: string): Promise<Experiment> {
  const checked = parseChecked(text, file, experimentSchema);
  const { name, base, seeds, rows, baseline, tune, resample, budgets, confirm } = checked.value;
  const names = Object.keys(rows);
  if (names.length === 0) throw checked.error(["rows"], "Expected at least one row: got an empty map");
  refuseNumbers(checked, "rows", "row", "width");
  if (baseline !== null) checked.oneOf(["baseline"], "row", names);
  const baseText = base === null ? null : await readNear(checked, ["base"], base);
  const built: Row[] = [];
  const tuning = tune && tuningOf(checked, tune, seeds);
  for (const row of names) built.push(await fileRow(checked, row, baseText, tuning));
  const experiment = {
    name: name ?? basename(file, extname(file)),
    rows: built,
    seeds,
    baseline: baseline ?? names[0],
    tune: tuning,
    resample: resample && resample.fraction,
    ...budgets && { budgets: parsedBudgets(checked, budgets) },
    ...confirm && { confirm: confirm.seeds },
  };
  const seen = seenSeeds(experiment);
  if (seen) throw checked.error(["confirm", "seeds"], seen);
  return experiment;
}

function parsedBudgets(checked: Checked<ExperimentFile>, texts: readonly string[]): Budget[] {
  try {
    return budgetsOf(texts);
  } catch (error) {
    throw error instanceof SyntaxError ? checked.error(["budgets"], error.message) : error;
  }
}

const near = ({ file }: Checked<ExperimentFile>, path: string) => isAbsolute(path) ? path : join(dirname(file), path);

async function readNear(checked: Checked<ExperimentFile>, at: Path, path: string): Promise<string> {
  return await checked.within(at, () => readText(near(checked, path)));
}

async function fileRow(
  checked: Checked<ExperimentFile>,
  name: string,
  baseText: string | null,
  tune: Tuning | null,
): Promise<Row> {
  const at = ["rows", name];
  const { base, resample, rows } = checked.value;
  const changes: Override[] = resample
    ? [{ path: ["subset"], value: resample, label: checked.origin(["resample"], "key") }]
    : [];
  const error = (sentence: string) => checked.error(at, sentence, "key");
  const row = rows[name];
  if (typeof row === "string") {
    return { ...recipeRow(name, near(checked, row), await readNear(checked, at, row), changes), error };
  }
  if (baseText === null) throw checked.error(at, `Cannot change a recipe for "${name}": base names none`, "key");
  const { equalSeconds = null, ...own } = row ?? {};
  if (equalSeconds !== null) checkEqualSeconds(checked, name);
  const origin = (path: Path, which: "key" | "value") => checked.origin([...at, ...path], which);
  let further: Override[];
  try {
    further = changesOf(readYaml(baseText).value, own, origin);
  } catch (problem) {
    throw problem instanceof SyntaxError ? error(problem.message) : problem;
  }
  refuseOverwritten(further, tune);
  return { ...recipeRow(name, near(checked, base!), baseText, [...changes, ...further]), equalSeconds, error };
}

function checkEqualSeconds(checked: Checked<ExperimentFile>, name: string): void {
  const at = ["rows", name, "equalSeconds"];
  const { rows } = checked.value;
  const other = rows[checked.oneOf(at, "row", Object.keys(rows).filter((row) => row !== name))];
  if (typeof other === "object" && other?.equalSeconds) {
    throw checked.error(at, "Cannot take the time of a row that takes another's itself: name a row that does not");
  }
}

function tuningOf(
  checked: Checked<ExperimentFile>,
  { key, values, seeds, common }: NonNullable<ExperimentFile["tune"]>,
  all: readonly number[],
): Tuning {
  const at = ["tune", "key"];
  let path: Path;
  try {
    path = parsePath(key);
  } catch (error) {
    throw error instanceof SyntaxError ? checked.error(at, error.message) : error;
  }
  const change = (value: Scalar): Override => {
    const index = values.indexOf(value);
    const origin = index >= 0 ? ["tune", "values", index] : ["tune", "common"];
    return { path, value, label: checked.origin(origin) };
  };
  return { key, values, seeds: seeds ?? all.slice(0, 1), common, change };
}

import { resolve } from "node:path";
import type { Command } from "commander";
import type { Backend } from "../core/backend/backend.ts";
import { CACHE } from "../core/data/remote_file.ts";
import { evaluate } from "../core/evaluate/evaluate.ts";
import { positiveClassOf } from "../core/evaluate/metrics/metrics.ts";
import { describeTags } from "../core/evaluate/metrics/spans.ts";
import { freeze } from "../core/nn/frozen_weights.ts";
import { readModelFolder } from "../core/model_folder/read_folder.ts";
import { UserError } from "../core/errors.ts";
import { createOps } from "../core/ops/ops.ts";
import type { Checked } from "../core/recipe/checked.ts";
import { readRecipe } from "../core/recipe/recipe.ts";
import type { Override } from "../core/recipe/overrides.ts";
import type { Recipe } from "../core/recipe/schema.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { withBackend } from "./support/backend.ts";
import { type ModelReport, showModelReport } from "./support/class_table.ts";
import { confined } from "./support/confine.ts";
import { evaluateTeacher } from "./support/evaluate_teacher.ts";
import { addRecipeFlags, addVerbose, overridesOf, type RecipeFlags } from "./support/flags.ts";
import { reportOf, splitOf } from "./support/model_report.ts";
import { standardOutput, stylesOf } from "./support/output.ts";
import { foreignKindOf, type ModelData, recipeNear, savedModel, withModelData } from "./support/saved_model.ts";

interface EvaluateFlags extends RecipeFlags {
  readonly teacher?: string;
  readonly recipe?: string;
  readonly split: string;
  readonly json?: boolean;
}

/** Adds the verb `evaluate`: how good a saved model is. */
export function addEvaluate(program: Command): void {
  addVerbose(
    addRecipeFlags(
      program.command("evaluate").description("measure a saved model: accuracy, loss, and what it takes for what")
        .argument(
          "[model]",
          "model folder (config.json and model.safetensors), run folder, ONNX file or TensorFlow.js folder",
        )
        .option("--recipe <file>", "recipe that names the data set (default: that of the run)")
        .option("--teacher <recipe>", "measure the teacher that this recipe names, of whatever kind, as a run does")
        .option("--split <name>", "test, validation, train, or another that the data set has", "test")
        .option("--json", "print the report as JSON"),
    ),
  ).action(async (path: string | undefined, flags: EvaluateFlags) => {
    const { recipe, measured } = await asked(path, flags);
    await confined([CACHE], () => measure(measured, recipe, flags), true);
  });
}

/** What is measured: a saved model of a folder, or the recipe's teacher. */
type Measured = { readonly folder: string } | "teacher";

/** @throws UserError if it is neither said what is measured, nor on which data */
async function asked(
  path: string | undefined,
  flags: EvaluateFlags,
): Promise<{ readonly measured: Measured; readonly recipe: Checked<Recipe> }> {
  const { teacher, recipe: named } = flags;
  const overrides = overridesOf(flags);
  if (teacher !== undefined) {
    const other = path ?? (named && `--recipe ${named}`);
    if (other) throw new UserError(`--teacher ${teacher}: Cannot measure "${other}" as well: leave out one of them`);
    return { measured: "teacher", recipe: await readRecipe(teacher, { overrides }) };
  }
  if (path === undefined) throw new UserError("Cannot evaluate nothing: name a model, or --teacher RECIPE");
  const use = await foreignKindOf(path);
  if (use !== null) {
    if (named === undefined) throw withoutData(path);
    const before = (await readRecipe(named, { overrides })).value.teacher;
    const own = before?.use === use ? before : { use };
    const teacher: Override = {
      path: ["teacher"],
      value: { ...own, weights: resolve(path), others: [], cache: null },
      label: path,
    };
    return { measured: "teacher", recipe: await readRecipe(named, { overrides: [...overrides, teacher] }) };
  }
  const folder = await savedModel(path, "evaluate");
  return { measured: { folder }, recipe: await readRecipe(named ?? await recipeOf(path), { overrides }) };
}

/** Measures the model, and tells the report. */
async function measure(measured: Measured, recipe: Checked<Recipe>, flags: EvaluateFlags): Promise<void> {
  const out = standardOutput("stdout");
  const tell = flags.json ? standardOutput("stderr") : out;
  const report = await withBackend(
    recipe.value.backend,
    tell.line,
    (backend) =>
      measured === "teacher"
        ? evaluateTeacher(recipe, { backend, builtins: allowedPlugins(flags), split: flags.split, tell: tell.line })
        : withModelData(
          measured.folder,
          recipe,
          allowedPlugins(flags),
          tell.line,
          (loaded) => evaluateFolder(measured.folder, recipe, loaded, flags.split, backend, tell.line),
        ),
  );
  if (flags.json) return out.line(JSON.stringify(report, null, 2));
  for (const line of showModelReport(report, stylesOf(out))) out.line(line);
}

/** The recipe of the run that the model is of. @throws UserError if there is none */
async function recipeOf(folder: string): Promise<string> {
  const file = await recipeNear(folder);
  if (file === null) throw withoutData(folder);
  return file;
}

const withoutData = (path: string) =>
  new UserError(`Cannot evaluate "${path}" without a data set: name a recipe that has it with --recipe FILE`);

async function evaluateFolder(
  folder: string,
  recipe: Checked<Recipe>,
  { data, definitions }: ModelData,
  split: string,
  backend: Backend,
  tell: (line: string) => void,
): Promise<ModelReport> {
  const examples = splitOf(data, split);
  const { input } = data.dataset;
  recipe.within(["evaluate", "positiveClass"], () => positiveClassOf(input, recipe.value.evaluate.positiveClass));
  if (input.task === "tagging") tell(describeTags(input.classes));
  const saved = await readModelFolder(folder, definitions, input, tell);
  const ops = createOps(backend);
  const weights = freeze(ops, saved.model, saved.weights);
  const settings = recipe.value.evaluate;
  const result = await evaluate(ops, { model: saved.model, weights, examples, input, ...settings });
  weights.dispose();
  return reportOf(result, {
    model: folder,
    architecture: saved.architecture,
    recipe: recipe.file,
    split,
    backend,
  });
}

import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { Backend } from "../core/backend/backend.ts";
import { CACHE } from "../core/data/remote_file.ts";
import { Random } from "../core/data/random.ts";
import { evaluate } from "../core/evaluate/evaluate.ts";
import { positiveClassOf } from "../core/evaluate/metrics/metrics.ts";
import { describeTags } from "../core/evaluate/metrics/spans.ts";
import { describeSkipped, loadData, type RunData } from "../core/distill/load_data.ts";
import { reorderClasses } from "../core/distill/reorder_classes.ts";
import { inModelsForm } from "../core/distill/models_form.ts";
import { matchClasses } from "../core/distill/teacher/match_classes.ts";
import { readClassNames } from "../core/model_folder/class_names.ts";
import { orderOfClasses } from "../core/plugin/class_names.ts";
import { tokenizerFolder } from "../core/model_folder/input_form.ts";
import { WEIGHTS_FILE } from "../core/model_folder/missing_weights.ts";
import { CONFIG_FILE, readForeignConfig } from "../core/model_folder/config_file.ts";
import { freeze } from "../core/nn/frozen_weights.ts";
import { readModelFolder } from "../core/model_folder/read_folder.ts";
import { resolvePlugins } from "../core/distill/resolve_plugins.ts";
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
import { isFile, savedModel } from "./support/saved_model.ts";

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
  return { measured: { folder }, recipe: await readRecipe(named ?? await recipeNear(path), { overrides }) };
}

/** The model plug-in of another library's model; `null` for a folder of ours or Hugging Face's. */
async function foreignKindOf(path: string): Promise<"onnx" | "tfjs" | null> {
  if (await isFile(path)) return /\.onnx$/i.test(path) ? "onnx" : basename(path) === "model.json" ? "tfjs" : null;
  if (await isFile(join(path, WEIGHTS_FILE)) || await isFile(join(path, "student", CONFIG_FILE))) return null;
  if (await isFile(join(path, "model.onnx")) || await isFile(join(path, "onnx", "model.onnx"))) return "onnx";
  return await isFile(join(path, "model.json")) ? "tfjs" : null;
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
        : evaluateFolder(measured.folder, recipe, flags, backend, tell.line),
  );
  if (flags.json) return out.line(JSON.stringify(report, null, 2));
  for (const line of showModelReport(report, stylesOf(out))) out.line(line);
}

async function recipeNear(folder: string): Promise<string> {
  for (const candidate of [folder, dirname(resolve(folder))]) {
    const file = join(candidate, "recipe.yaml");
    if (await isFile(file)) return file;
  }
  throw withoutData(folder);
}

const withoutData = (path: string) =>
  new UserError(`Cannot evaluate "${path}" without a data set: name a recipe that has it with --recipe FILE`);

async function evaluateFolder(
  folder: string,
  recipe: Checked<Recipe>,
  flags: EvaluateFlags,
  backend: Backend,
  tell: (line: string) => void,
): Promise<ModelReport> {
  const { split } = flags;
  const builtins = allowedPlugins(flags);
  const plugins = await resolvePlugins(recipe, builtins);
  const random = new Random(recipe.value.seed);
  const tokenizer = await tokenizerFolder(folder, (name) => name);
  const loaded = await loadData(recipe, plugins.dataset, random, tokenizer && resolve(tokenizer));
  for (const line of describeSkipped(loaded.dataset)) tell(line);
  const formed = await inModelsForm(folder, recipe, loaded, random, tell);
  const data = await inModelsOrder(folder, formed, Array.isArray(plugins.dataset.options?.classes), tell);
  const examples = splitOf(data, split);
  const named = [plugins.student, plugins.teacher, ...plugins.otherTeachers].flatMap((plugin) =>
    plugin ? [plugin.definition] : []
  );
  const { input } = data.dataset;
  recipe.within(["evaluate", "positiveClass"], () => positiveClassOf(input, recipe.value.evaluate.positiveClass));
  if (input.task === "tagging") tell(describeTags(input.classes));
  const saved = await readModelFolder(folder, [...new Set([...builtins.model, ...named])], input, tell);
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
    input,
  });
}

/** Data whose classes are in the order of a saved model's logits, by their names. */
async function inModelsOrder(
  folder: string,
  data: RunData,
  listed: boolean,
  tell: (line: string) => void,
): Promise<RunData> {
  const { task, classes: given, numbered } = data.dataset.input;
  const own = task === "regression" ? null : await readClassNames(folder, task);
  if (!own) return data;
  const isOurs = (await readForeignConfig(join(folder, CONFIG_FILE))).architecture !== undefined;
  // A model of this program is held against the data set when it is read.
  if (isOurs && !orderOfClasses(own, given)) return data;
  const order = matchClasses({
    who: "model",
    own,
    given,
    listed,
    numbered,
    movable: isOurs || !listed,
    remedies: {
      order: "the model's order in dataset.classes",
      names: "name the data set's in the order of the model's logits with dataset.classes",
    },
    report: tell,
  });
  return order ? reorderClasses(data, order) : data;
}

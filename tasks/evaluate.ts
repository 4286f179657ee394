import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { Backend } from "../core/backend/backend.ts";
import { CACHE } from "../core/data/remote_file.ts";
import { Random } from "../core/data/random.ts";
import { evaluate } from "../core/evaluate/evaluate.ts";
import { measuredNotes } from "../core/evaluate/metrics/class_scores.ts";
import { positiveClassOf } from "../core/evaluate/metrics/metrics.ts";
import { describeTags } from "../core/evaluate/metrics/spans.ts";
import { describeSkipped, loadData, type RunData } from "../core/distill/load_data.ts";
import { reorderClasses } from "../core/distill/reorder_classes.ts";
import { inModelsForm } from "../core/distill/models_form.ts";
import { matchClasses } from "../core/distill/teacher/match_classes.ts";
import { readClassNames } from "../core/model_folder/class_names.ts";
import { orderOfClasses } from "../core/plugin/class_names.ts";
import { tokenizerFolder } from "../core/model_folder/input_form.ts";
import { CONFIG_FILE, readForeignConfig } from "../core/model_folder/config_file.ts";
import { freeze } from "../core/nn/frozen_weights.ts";
import { readModelFolder } from "../core/model_folder/read_folder.ts";
import { resolvePlugins } from "../core/distill/resolve_plugins.ts";
import { UserError } from "../core/errors.ts";
import { createOps } from "../core/ops/ops.ts";
import type { Examples } from "../core/plugin/dataset.ts";
import type { Checked } from "../core/recipe/checked.ts";
import { readRecipe } from "../core/recipe/recipe.ts";
import type { Recipe } from "../core/recipe/schema.ts";
import { listWords } from "../core/recipe/words.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { withBackend } from "./support/backend.ts";
import { type ModelReport, showModelReport } from "./support/class_table.ts";
import { confined } from "./support/confine.ts";
import { addRecipeFlags, addVerbose, overridesOf, type RecipeFlags } from "./support/flags.ts";
import { standardOutput, stylesOf } from "./support/output.ts";

interface EvaluateFlags extends RecipeFlags {
  readonly recipe?: string;
  readonly split: string;
  readonly json?: boolean;
}

/** Adds the verb `evaluate`: how good a saved model is. */
export function addEvaluate(program: Command): void {
  addVerbose(
    addRecipeFlags(
      program.command("evaluate").description("measure a saved model: accuracy, loss, and what it takes for what")
        .argument("<folder>", "model folder (config.json and model.safetensors), or run folder")
        .option("--recipe <file>", "recipe that names the data set (default: that of the run)")
        .option("--split <name>", "test, validation, train, or another that the data set has", "test")
        .option("--json", "print the report as JSON"),
    ),
  ).action(async (folder: string, flags: EvaluateFlags) => {
    const model = await modelFolder(folder);
    const file = flags.recipe ?? await recipeNear(folder);
    const recipe = await readRecipe(file, { overrides: overridesOf(flags) });
    await confined([CACHE], () => measure(model, recipe, flags));
  });
}

/** Measures the model, and tells the report. */
async function measure(model: string, recipe: Checked<Recipe>, flags: EvaluateFlags): Promise<void> {
  const out = standardOutput("stdout");
  const tell = flags.json ? standardOutput("stderr") : out;
  const report = await withBackend(
    recipe.value.backend,
    tell.line,
    (backend) => evaluateFolder(model, recipe, flags, backend, tell.line),
  );
  if (flags.json) return out.line(JSON.stringify(report, null, 2));
  for (const line of showModelReport(report, stylesOf(out))) out.line(line);
}

/** The folder itself, or the student of a run. */
async function modelFolder(folder: string): Promise<string> {
  for (const candidate of [folder, join(folder, "student")]) {
    if (await isFile(join(candidate, CONFIG_FILE))) return candidate;
  }
  throw new UserError(
    `Cannot evaluate "${folder}" as it is no model folder: there is no ${CONFIG_FILE} in it, nor in student/`,
  );
}

async function recipeNear(folder: string): Promise<string> {
  for (const candidate of [folder, dirname(resolve(folder))]) {
    const file = join(candidate, "recipe.yaml");
    if (await isFile(file)) return file;
  }
  throw new UserError(`Cannot evaluate "${folder}" without a data set: name a recipe that has it with --recipe FILE`);
}

function isFile(path: string): Promise<boolean> {
  return Deno.stat(path).then((info) => info.isFile, () => false);
}

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
  const { architecture } = saved;
  const { loss, metrics, classes, confusion, spans } = result;
  return {
    model: folder,
    architecture,
    recipe: recipe.file,
    split,
    backend: backend.name,
    examples: result.examples,
    labelled: result.labelled,
    loss,
    positiveClass: result.positiveClass,
    metrics,
    classes: classes && classes.map((own) => ({ ...own, accuracy: own.examples === 0 ? null : own.recall })),
    confusion,
    spans,
    notes: measuredNotes(classes, spans),
  };
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

/** The run's own splits, and what else the data set has, such as MNLI's `mismatched`. */
function splitOf({ train, validation, test, dataset }: RunData, name: string): Examples {
  const splits = new Map(Object.entries({ ...dataset.splits, train, test, ...(validation && { validation }) }));
  const examples = splits.get(name);
  if (examples) return examples;
  const known = listWords([...splits.keys()], "or");
  if (name === "validation") {
    throw new UserError(`--split validation: The recipe takes no validation examples: expected ${known}`);
  }
  throw new UserError(`--split ${name}: Expected ${known}`);
}

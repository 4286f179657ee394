import assert from "node:assert/strict";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import "../../core/deno/install.ts";
import { matrixSize } from "../../core/nn/matrix_size.ts";
import { weightProviders } from "../../core/overparameterise/weight_providers.ts";
import { buildModel, readRecipeWeights } from "../../core/distill/recipe_models.ts";
import { type Resolved, resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import type { ImageInput, InputDescription } from "../../core/plugin/dataset.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { readRecipe, resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { sizeOf } from "../../core/tensor.ts";
import { builtins } from "../../plugins/builtins.ts";
import { groupClasses } from "../../plugins/datasets/image_groups.ts";
import { GLUE_TASKS } from "../../plugins/datasets/text/glue_tasks.ts";
import { isExperiment, readExperiment } from "../../tasks/experiment/read_experiment.ts";
import { isSeries, readSeries } from "../../tasks/experiment/read_series.ts";
import { isStages, planStages, stagesFrom } from "../../tasks/stages/read_stages.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "tasks", "recipes");
const files = Array.from(Deno.readDirSync(folder), ({ name }) => name).filter((name) => name.endsWith(".yaml"));
const textOf = (name: string) => Deno.readTextFileSync(join(folder, name));
const [experiments, series, stages] = [isExperiment, isSeries, isStages].map((is) =>
  files.filter((name) => is(textOf(name)))
);
const recipes = files.filter((name) => ![...experiments, ...series, ...stages].includes(name));

/** Images of the data sets by their format; the files themselves are read by no test here. */
const imageSizes: Readonly<Record<string, ImageInput["size"]>> = { idx: [28, 28, 1], cifar: [32, 32, 3] };

/** What the config.json of a BERT-base says, which the user brings: a recipe leaves it to that. */
const BERT_BASE = { model_type: "bert", num_hidden_layers: 12, hidden_size: 768, vocab_size: 30522 };

/** A vocabulary that is trained has the size that was asked for, unless there is little text. */
function vocabularyOf({ tokenizer, vocabularySize }: Resolved<"dataset">["options"]): number {
  if (tokenizer === null) return vocabularySize;
  if (!tokenizer.startsWith("plugins/")) return BERT_BASE.vocab_size;
  const { model } = JSON.parse(Deno.readTextFileSync(join(root, tokenizer, "tokenizer.json")));
  return Object.keys(model.vocab).length;
}

function inputOf({ definition, options }: Resolved<"dataset">): InputDescription {
  if (options.vocabularySize !== undefined) {
    const text = { vocabulary: vocabularyOf(options), maxLength: options.maxLength, padding: 0, files: {} };
    const own = definition.name === "glue" ? GLUE_TASKS[options.task] : options;
    const task = definition.name === "conll" ? "tagging" : own.task ?? "classification";
    const classes = Array.isArray(own.classes) ? own.classes : Object.keys(own.classes);
    return { task, classes, image: null, text };
  }
  assert.ok(options.classes, "classes are part of a shipped recipe");
  const size = imageSizes[definition.name];
  assert.ok(size, `this test knows no image size of the data set "${definition.name}"`);
  assert.ok(options.mean && options.std, "mean and std are part of a shipped recipe");
  const classes = options.groups ? groupClasses(options.classes, options.groups).classes : options.classes;
  const image = { size, normalise: { mean: options.mean, std: options.std } };
  return { task: "classification", classes, image, text: null };
}

/** The files of the data set that are shipped: those beneath `plugins/`; others are for the user to name. */
function shippedFiles(recipe: Checked<Recipe>, { options }: Resolved<"dataset">): string[] {
  const { folder = ".", train, test } = options;
  const named: unknown[] = [train, test].flatMap((files) =>
    typeof files === "string" ? [files] : Object.values(files ?? {})
  );
  return named.filter((name) => typeof name === "string")
    .map((name) => resolveFile(recipe, join(folder, name)))
    .filter((path) => relative(root, path).startsWith(`plugins${sep}`));
}

/** A teacher's weights are those of its model for these data, if it is shipped; others are for the user to name. */
async function checkTeacher(recipe: Checked<Recipe>, teacher: Resolved<"model"> | null, input: InputDescription) {
  if (!teacher) return;
  const { weights } = recipe.value.teacher!;
  assert.ok(weights, "a shipped recipe has its teacher");
  const isShipped = weights.startsWith("plugins/");
  const { definition, options } = teacher;
  const known = isShipped || !definition.fromConfig ? options : definition.fromConfig(BERT_BASE, options);
  const model = buildModel(recipe, { ...teacher, options: known }, input);
  if (!isShipped) return;
  const numbers = await readRecipeWeights(recipe, "teacher", weights, model);
  assert.deepEqual([...numbers.keys()], model.parameters.map(({ name }) => name));
}

Deno.test("the recipes that the tasks run by default are there", () => {
  for (const name of ["quickstart.yaml", "quickstart-teacher.yaml"]) assert.ok(recipes.includes(name), name);
});

for (const name of recipes) {
  Deno.test(`${name}: plug-ins, files, teacher weights and chain shapes fit together`, async () => {
    const recipe = await readRecipe(join(folder, name));
    assert.equal(recipe.value.name, name.replace(/\.yaml$/, ""));
    const { dataset, teacher, student } = await resolvePlugins(recipe, builtins);

    const files = shippedFiles(recipe, dataset);
    for (const file of files) assert.ok((await Deno.stat(file)).isFile, file);
    if (name.startsWith("quickstart")) assert.equal(files.length, 4);

    const input = inputOf(dataset);
    await checkTeacher(recipe, teacher, input);

    const model = buildModel(recipe, student, input);
    const providers = weightProviders(recipe.part("student").part("overParameterise"), model);
    assert.equal(providers.size > 0, recipe.value.student.overParameterise.length > 0);
    for (const [weight, { chain }] of providers) {
      const { rows, cols } = chain!;
      const matrix = matrixSize(model.parameters.find(({ name }) => name === weight)!.shape);
      assert.deepEqual({ rows: sizeOf(rows), cols: sizeOf(cols) }, matrix, weight);
    }
  });
}

for (const name of experiments) {
  Deno.test(`${name}: every row is a recipe whose plug-ins and teacher take it, with every value that is tuned`, async () => {
    const { rows, seeds, baseline, tune } = await readExperiment([join(folder, name)]);
    assert.ok(seeds.length >= 3 && rows.some((row) => row.name === baseline));
    for (const row of rows) {
      for (const changes of tune ? tune.values.map((value) => [tune.change(value)]) : [[]]) {
        const recipe = row.recipe(changes);
        const { dataset, teacher, student } = await resolvePlugins(recipe, builtins);
        const input = inputOf(dataset);
        await checkTeacher(recipe, teacher, input);
        buildModel(recipe, student, input);
      }
    }
  });
}

for (const name of stages) {
  Deno.test(`${name}: every stage is a recipe, whose teacher is shipped or the stage before`, async () => {
    const planned = planStages(await stagesFrom(join(folder, name), textOf(name)), "runs/stages", []);
    for (const [place, { recipe }] of planned.entries()) {
      const { dataset, teacher, student } = await resolvePlugins(recipe, builtins);
      const input = inputOf(dataset);
      if (place === 0) await checkTeacher(recipe, teacher, input);
      else buildModel(recipe, teacher!, input);
      buildModel(recipe, student, input);
    }
  });
}

for (const name of series) {
  Deno.test(`${name}: names experiments that are shipped with it`, async () => {
    const names = (await readSeries([join(folder, name)])).map((experiment) => experiment.name);
    for (const part of names) assert.ok(experiments.includes(`${part}.yaml`), part);
  });
}

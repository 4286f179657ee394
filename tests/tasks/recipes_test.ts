import assert from "node:assert/strict";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { chainSpecs, matrixSize } from "../../core/distill/chains.ts";
import { buildModel, readRecipeWeights } from "../../core/distill/models.ts";
import { type Resolved, resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import type { ImageInput, InputDescription } from "../../core/plugin/dataset.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { readRecipe, resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { sizeOf } from "../../core/tensor.ts";
import { builtins } from "../../plugins/builtins.ts";
import { isExperiment, readExperiment } from "../../tasks/experiment/read_experiment.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "tasks", "recipes");
const files = Array.from(Deno.readDirSync(folder), ({ name }) => name).filter((name) => name.endsWith(".yaml"));
const isRecipe = (name: string) => !isExperiment(Deno.readTextFileSync(join(folder, name)));
const recipes = files.filter(isRecipe);

/** Images of the data sets by their format; the files themselves are read by no test here. */
const imageSizes: Readonly<Record<string, ImageInput["size"]>> = { idx: [28, 28, 1], cifar: [32, 32, 3] };

function inputOf({ definition, options }: Resolved<"dataset">): InputDescription {
  const size = imageSizes[definition.name];
  assert.ok(size, `this test knows no image size of the data set "${definition.name}"`);
  assert.ok(options.classes && options.mean && options.std, "classes, mean and std are part of a shipped recipe");
  const image = { size, normalise: { mean: options.mean, std: options.std } };
  return { task: "classification", classes: options.classes, image, text: null };
}

/** The files of the data set that are shipped: those beneath `plugins/`; others are for the user to name. */
function shippedFiles(recipe: Checked<Recipe>, { options }: Resolved<"dataset">): string[] {
  const { folder = ".", train, test } = options;
  const named: unknown[] = [train, test].flatMap((files) => Object.values(files));
  return named.filter((name) => typeof name === "string")
    .map((name) => resolveFile(recipe, join(folder, name)))
    .filter((path) => relative(root, path).startsWith(`plugins${sep}`));
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
    if (teacher) {
      const { weights } = recipe.value.teacher!;
      assert.ok(weights, "a shipped recipe has its teacher");
      const model = buildModel(recipe, teacher, input);
      const numbers = await readRecipeWeights(recipe, "teacher", weights, model);
      assert.deepEqual([...numbers.keys()], model.parameters.map(({ name }) => name));
    }

    const model = buildModel(recipe, student, input);
    const chains = chainSpecs(recipe, model);
    assert.equal(chains.size > 0, recipe.value.student.overParameterise.length > 0);
    for (const [weight, { rows, cols }] of chains) {
      const matrix = matrixSize(model.parameters.find(({ name }) => name === weight)!.shape);
      assert.deepEqual({ rows: sizeOf(rows), cols: sizeOf(cols) }, matrix, weight);
    }
  });
}

for (const name of files.filter((file) => !isRecipe(file))) {
  Deno.test(`${name}: every row is a recipe whose plug-ins take it, with every value that is tuned`, async () => {
    const { rows, seeds, baseline, tune } = await readExperiment([join(folder, name)]);
    assert.ok(seeds.length >= 3 && rows.some((row) => row.name === baseline));
    for (const row of rows) {
      for (const value of tune?.values ?? []) await resolvePlugins(row.recipe([tune!.change(value)]), builtins);
    }
  });
}

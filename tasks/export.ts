import { join } from "node:path";
import type { Command } from "commander";
import type { Backend } from "../core/backend/backend.ts";
import { CACHE } from "../core/data/remote_file.ts";
import { UserError } from "../core/errors.ts";
import { PROCESSOR_FILE } from "../core/model_folder/image_processor.ts";
import { readDescribedModel } from "../core/model_folder/read_architecture.ts";
import { readModelFolder } from "../core/model_folder/read_folder.ts";
import { readModelWeights } from "../core/model_folder/read_weights.ts";
import { exportModel, type OnnxFile } from "../core/onnx/export_model.ts";
import { showExport } from "../core/onnx/show_export.ts";
import { PRECISIONS } from "../core/onnx/precisions.ts";
import { createOps } from "../core/ops/ops.ts";
import type { Checked } from "../core/recipe/checked.ts";
import { readRecipe } from "../core/recipe/recipe.ts";
import type { OnnxPrecision } from "../core/recipe/recipe_type.ts";
import type { Recipe } from "../core/recipe/schema.ts";
import { listWords } from "../core/recipe/words.ts";
import { allowedPlugins } from "./support/allowed_plugins.ts";
import { backendChoice, withBackend } from "./support/backend.ts";
import { confined } from "./support/confine.ts";
import { exportFolder } from "./support/export_folder.ts";
import { addRecipeFlags, addVerbose, overridesOf, type RecipeFlags } from "./support/flags.ts";
import { standardOutput } from "./support/output.ts";
import { isFile, recipeNear, savedModel, withModelData } from "./support/saved_model.ts";

interface ExportFlags extends RecipeFlags {
  readonly to: string;
  readonly precision: string;
  readonly recipe?: string;
  readonly json?: boolean;
}

/** Adds the verb `export`: writes a saved model in another format. */
export function addExport(program: Command): void {
  addVerbose(
    addRecipeFlags(
      program.command("export").description("write a saved model as ONNX, run by ONNX Runtime and compared")
        .argument("<folder>", "model folder (config.json and model.safetensors), or run folder")
        .requiredOption("--to <format>", "onnx")
        .option("--precision <name>", "fp32, fp16 or int8, or several with commas", "fp32")
        .option("--out <folder>", "where to write (default: the model folder's name and -onnx)")
        .option("--recipe <file>", "recipe that names the data set to try it on (default: that of the run)")
        .option("--json", "print the report as JSON"),
    ),
  ).action(async (folder: string, { out: given, ...flags }: ExportFlags) => {
    if (flags.to !== "onnx") throw new UserError(`--to ${flags.to}: Expected onnx`);
    const precisions = precisionsOf(flags.precision);
    const model = await savedModel(folder, "export");
    const out = given ?? exportFolder(model);
    const file = flags.recipe ?? await recipeNear(folder);
    if (file === null) refuseRecipeFlags(folder, flags);
    const recipe = file === null ? null : await readRecipe(file, { overrides: overridesOf(flags) });
    await confined([out, CACHE], () => run(model, out, recipe, precisions, flags));
  });
}

/** What changes a recipe must not be dropped where there is none. */
function refuseRecipeFlags(folder: string, { set, seed }: ExportFlags): void {
  const flag = set.length > 0 ? `--set ${set[0]}` : seed === undefined ? null : `--seed ${seed}`;
  if (flag === null) return;
  throw new UserError(`${flag}: Cannot change a recipe as there is none near "${folder}": name one with --recipe FILE`);
}

function precisionsOf(given: string): OnnxPrecision[] {
  const names = given.split(",").map((name) => name.trim());
  const strange = names.find((name) => !Object.hasOwn(PRECISIONS, name));
  if (strange === undefined) return [...new Set(names)] as OnnxPrecision[];
  throw new UserError(`--precision ${given}: Expected ${listWords(Object.keys(PRECISIONS), "or")}`);
}

async function run(
  folder: string,
  out: string,
  recipe: Checked<Recipe> | null,
  precisions: readonly OnnxPrecision[],
  flags: ExportFlags,
): Promise<void> {
  const output = standardOutput("stdout");
  const tell = flags.json ? standardOutput("stderr").line : output.line;
  const choice = recipe?.value.backend ?? backendChoice(flags.backend ?? "auto");
  const files = await withBackend(
    choice,
    tell,
    (backend) => exported(folder, out, recipe, precisions, flags, backend, tell),
  );
  if (flags.json) return output.line(JSON.stringify({ model: folder, out, files }, null, 2));
  for (const line of showExport(out, files)) output.line(line);
}

async function exported(
  folder: string,
  out: string,
  recipe: Checked<Recipe> | null,
  precisions: readonly OnnxPrecision[],
  flags: ExportFlags,
  backend: Backend,
  tell: (line: string) => void,
): Promise<OnnxFile[]> {
  const ops = createOps(backend);
  const builtins = allowedPlugins(flags);
  if (recipe === null) {
    const { model, input, saysNormalisation } = await readDescribedModel(folder, builtins.model);
    if (input.image && !saysNormalisation && !await isFile(join(folder, PROCESSOR_FILE))) {
      tell(
        `No ${PROCESSOR_FILE} is written, as nothing in "${folder}" says how pixels are normalised: put one there, or ` +
          "name the recipe of the model's data with --recipe FILE",
      );
    }
    const weights = await readModelWeights(folder, model, "model", { report: tell });
    const evaluate = { batchSize: 1, positiveClass: null, threshold: 0.5 };
    const called = { ops, model, weights, input, saysNormalisation, source: folder, out, precisions, evaluate };
    return await exportModel({ ...called, data: null });
  }
  return await withModelData(folder, recipe, builtins, tell, async ({ data, definitions }) => {
    const { input } = data.dataset;
    const { model, weights } = await readModelFolder(folder, definitions, input, tell);
    const { evaluate } = recipe.value;
    const called = { ops, model, weights, input, saysNormalisation: true, source: folder, out, precisions, evaluate };
    return await exportModel({ ...called, data });
  });
}

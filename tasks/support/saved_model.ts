import { basename, dirname, join, resolve } from "node:path";
import { Random } from "../../core/data/random.ts";
import { describeLabelNoise } from "../../core/distill/label_noise.ts";
import { describeSkipped, loadData, type RunData } from "../../core/distill/load_data.ts";
import { inModelsForm } from "../../core/distill/models_form.ts";
import { reorderClasses } from "../../core/distill/reorder_classes.ts";
import { resolvePlugins } from "../../core/distill/resolve_plugins.ts";
import { matchClasses } from "../../core/distill/teacher/match_classes.ts";
import { UserError } from "../../core/errors.ts";
import { readTextIfThere } from "../../core/files.ts";
import { readClassNames } from "../../core/model_folder/class_names.ts";
import { CONFIG_FILE, readConfigIfThere, readForeignConfig } from "../../core/model_folder/config_file.ts";
import { INDEX_FILE, WEIGHTS_FILE } from "../../core/model_folder/missing_weights.ts";
import { tokenizerFolder } from "../../core/model_folder/input_form.ts";
import { EXPORTED_FROM } from "../../core/model_folder/describing_folder.ts";
import { findOnnx } from "../../core/onnx/places.ts";
import { orderOfClasses } from "../../core/plugin/class_names.ts";
import { hasClasses } from "../../core/plugin/inputs.ts";
import type { ModelDefinition } from "../../core/plugin/model.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { describeChangedStudent } from "./own_student.ts";

/**
 * The model folder that the user named: the folder itself, or the student of a run.
 *
 * @param action what is to be done, to follow "Cannot": `evaluate`
 * @throws UserError if there is no model
 */
export async function savedModel(folder: string, action: string): Promise<string> {
  const other = await foreignKindOf(folder);
  if (other !== null) {
    throw new UserError(
      `Cannot ${action} "${folder}" as it is ${
        OTHERS[other]
      }, which evaluate and recipes read: expected a folder with ` +
        `${CONFIG_FILE} and ${WEIGHTS_FILE}, such as it was made of`,
    );
  }
  for (const candidate of [folder, join(folder, "student")]) {
    if (await isFile(join(candidate, CONFIG_FILE))) return candidate;
  }
  throw new UserError(
    `Cannot ${action} "${folder}" as it is no model folder: there is no ${CONFIG_FILE} in it, nor in student/`,
  );
}

/** The same, or what `export` made of a model: that answers, too. */
export async function answeringModel(folder: string, action: string): Promise<string> {
  const file = join(folder, CONFIG_FILE);
  if (await foreignKindOf(folder) !== "onnx" || !await isFile(file)) return await savedModel(folder, action);
  const { [EXPORTED_FROM]: exportedFrom } = await readForeignConfig(file);
  return typeof exportedFrom === "string" ? folder : await savedModel(folder, action);
}

const OTHERS = { onnx: "an ONNX model", tfjs: "a TensorFlow.js model" };

/** The model plug-in of another library's model; `null` for a folder of ours or Hugging Face's. */
export async function foreignKindOf(path: string): Promise<keyof typeof OTHERS | null> {
  if (await isFile(path)) return /\.onnx$/i.test(path) ? "onnx" : basename(path) === "model.json" ? "tfjs" : null;
  for (const own of [[WEIGHTS_FILE], [INDEX_FILE], ["student", CONFIG_FILE]]) {
    if (await isFile(join(path, ...own))) return null;
  }
  if (await findOnnx(path) !== null) return "onnx";
  return await isFile(join(path, "model.json")) ? "tfjs" : null;
}

/**
 * The recipe of the run that a model is of, by the run's id in both; `null` if there is none.
 *
 * @param folder the run's, or the model's
 */
export async function recipeNear(folder: string): Promise<string | null> {
  const [within, above] = [folder, dirname(resolve(folder))].map((place) => join(place, "recipe.yaml"));
  if (await isFile(within)) return within;
  return await isFile(above) && await isOfRun(folder, above) ? above : null;
}

/** Whether a model is of the run that a recipe is of, and not only beside it. */
async function isOfRun(folder: string, recipe: string): Promise<boolean> {
  const { run = null } = await readConfigIfThere(join(folder, CONFIG_FILE)) ?? {};
  const [, id = null] = /^# run (\S+)\r?\n/.exec(await readTextIfThere(recipe, "the run's recipe") ?? "") ?? [];
  // Older runs have none.
  return run === null && id === null ? basename(resolve(folder)) === "student" : run === id;
}

/** Whether there is a file of that name. */
export function isFile(path: string): Promise<boolean> {
  return Deno.stat(path).then((info) => info.isFile, () => false);
}

/** The data of a recipe as a saved model takes them, and the models that may be meant by its config.json. */
export interface ModelData {
  readonly data: RunData;
  readonly definitions: readonly ModelDefinition[];
}

/** Loads a recipe's data for a saved model, and closes them when `body` has ended, however it does. */
export async function withModelData<Result>(
  folder: string,
  recipe: Checked<Recipe>,
  builtins: Builtins,
  tell: (line: string) => void,
  body: (loaded: ModelData) => Promise<Result>,
): Promise<Result> {
  const changed = await describeChangedStudent(folder);
  if (changed) tell(changed);
  const plugins = await resolvePlugins(recipe, builtins);
  const random = new Random(recipe.value.seed);
  const tokenizer = await tokenizerFolder(folder, (name) => name);
  const loaded = await loadData(recipe, plugins.dataset, random, tokenizer && resolve(tokenizer));
  try {
    for (const line of describeSkipped(loaded.dataset)) tell(line);
    const noise = describeLabelNoise(recipe.value, loaded.train, loaded.dataset.input);
    if (noise) tell(noise);
    const formed = await inModelsForm(folder, recipe, loaded, random, tell);
    const data = await inModelsOrder(folder, formed, Array.isArray(plugins.dataset.options?.classes), tell);
    const named = [plugins.student, plugins.teacher, ...plugins.otherTeachers].flatMap((plugin) =>
      plugin ? [plugin.definition] : []
    );
    return await body({ data, definitions: [...new Set([...builtins.model, ...named])] });
  } finally {
    await loaded.dataset.close?.();
  }
}

/** Data whose classes are in the order of a saved model's logits, by their names. */
async function inModelsOrder(
  folder: string,
  data: RunData,
  listed: boolean,
  tell: (line: string) => void,
): Promise<RunData> {
  const { task, classes: given, numbered } = data.dataset.input;
  const own = hasClasses(task) ? await readClassNames(folder, task) : null;
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

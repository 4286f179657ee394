import { UserError } from "../errors.ts";
import { showJson } from "../json.ts";
import { join } from "../paths.ts";
import { labelsIn } from "../plugin/config_values.ts";
import type { Task } from "../plugin/dataset.ts";
import type { ForeignConfig } from "../plugin/saved_options.ts";
import { CONFIG_FILE, readConfigIfThere, withinConfig } from "./config_file.ts";
import { describingFolder } from "./describing_folder.ts";

/** Hugging Face's `problem_type` of a model that says of each class whether an example is of it. */
export const SEVERAL_LABELS = "multi_label_classification";

/**
 * The names of a saved model's classes in the order of its logits, as the config.json beside its weights, or above an
 * export's, has them: this program's `labels` or Hugging Face's `id2label`.
 *
 * @param path the model's folder, or a file in it
 * @param task what it is to answer
 * @returns `null` where there is no config.json; none for one that does not say them
 * @throws UserError for a model of one class an example where several are asked for, and the other way round: a softmax
 * belongs to the logits of the one, a sigmoid to those of the other
 */
export async function readClassNames(path: string, task: Task = "classification"): Promise<readonly string[] | null> {
  const file = path.endsWith(".json") && !path.endsWith(".index.json")
    ? path
    : join(await describingFolder(path), CONFIG_FILE);
  const config = await readConfigIfThere(file);
  if (config) checkTask(file, config, task);
  if (!config) return null;
  const { architecture, labels } = config;
  if (architecture === undefined || labels === undefined) return withinConfig(file, () => labelsIn(config) ?? []);
  if (Array.isArray(labels) && labels.every((name) => typeof name === "string")) return labels;
  throw new UserError(`Cannot read labels in "${file}": expected a list of names, got ${showJson(labels)}`);
}

/** Holds what a config says of its answers, if it does, against what is asked. */
function checkTask(file: string, { problem_type: problem, task: own }: ForeignConfig, task: Task): void {
  const several = task === "multi-label";
  const isSeveral = problem === SEVERAL_LABELS || own === "multi-label";
  const saysOne = problem === "single_label_classification" || own === "classification";
  if (several ? !saysOne || isSeveral : !isSeveral) return;
  const [key, value] = problem === undefined ? ["task", own] : ["problem_type", problem];
  const right = problem === undefined ? task : several ? SEVERAL_LABELS : "single_label_classification";
  throw new UserError(
    `Cannot take the model in "${file}" for ${several ? "several classes" : "one class"} an example: its ${key} is ` +
      `${value}, expected ${right}`,
  );
}

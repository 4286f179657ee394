import { UserError } from "../errors.ts";
import { lookAt } from "../files.ts";
import { showJson } from "../json.ts";
import { dirname, join } from "../paths.ts";
import { labelsIn } from "../plugin/config_values.ts";
import { CONFIG_FILE, readConfigIfThere, withinConfig } from "./config_file.ts";

/**
 * The names of a saved model's classes in the order of its logits, as the config.json beside its weights has them: this
 * program's `labels` or Hugging Face's `id2label`.
 *
 * @param path the model's folder, or a file in it
 * @returns `null` where there is no config.json; none for one that does not say them
 * @throws UserError for a model of several classes at once, whose logits no softmax belongs to
 */
export async function readClassNames(path: string): Promise<readonly string[] | null> {
  const isFolder = (await lookAt(path))?.kind === "folder";
  const file = path.endsWith(".json") && !path.endsWith(".index.json")
    ? path
    : join(isFolder ? path : dirname(path), CONFIG_FILE);
  const config = await readConfigIfThere(file);
  if (config?.problem_type === "multi_label_classification") {
    throw new UserError(
      `Cannot take the model in "${file}" for one class an example: its problem_type is multi_label_classification, ` +
        "expected single_label_classification",
    );
  }
  if (!config) return null;
  const { architecture, labels } = config;
  if (architecture === undefined || labels === undefined) return withinConfig(file, () => labelsIn(config) ?? []);
  if (Array.isArray(labels) && labels.every((name) => typeof name === "string")) return labels;
  throw new UserError(`Cannot read labels in "${file}": expected a list of names, got ${showJson(labels)}`);
}
